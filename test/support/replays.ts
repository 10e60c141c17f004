import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import { decode } from '../../engine/codec.ts';
import type { Registry } from '../../engine/index.ts';
import type { InstanceRecord } from '../../engine/record.ts';
import { replayTo } from '../../engine/replay.ts';
import { readRecord, writeBody, writeContext } from '../../engine/stored.ts';
import { plain, type RecordedHistory } from './histories.ts';

/** Plays a history again and holds the record it leads to against the stored one: states, context, tokens, all of it. */
export function expectReplays(
  registry: Registry,
  { definition, instanceId, lines, record }: RecordedHistory,
): void {
  const past = replayTo(registry, instanceId, lines)?.record;
  if (past === undefined) throw new Error(`'${instanceId}' has no history.`);
  const recorded = decode<InstanceRecord>(record);
  // At rest both are plain data, without references and prototypes of this process.
  const context = writeContext(past.machine.context);
  const replayed = plain(readRecord({ revision: past.revision, body: writeBody(past), context }));
  if (isDeepStrictEqual(replayed, recorded)) return;
  const told =
    `'${definition}' no longer leads to what it led to (instance '${instanceId}'). Instances under way follow the ` +
    'recorded behaviour: give the workflow a new version and keep this one beside it.';
  expect({ told, ...replayed }).toStrictEqual({ told, ...recorded });
  throw new Error(told);
}
