/** Signals that nobody claims are kept for their time, announced before they go, and named in the log when they went. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Client,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
} from '../../engine/index.ts';
import type { Store } from '../../engine/store.ts';
import { type Logger, silentLogger } from '../../shared/logger.ts';
import type { Loop } from '../../workers/loop.ts';
import { startUnmatchedRetention } from '../../workers/unmatched-retention.ts';
import { eventually } from '../support/eventually.ts';

const DAY_MS = 86_400_000;
const KEPT_MS = 90 * DAY_MS;

let now: number;
let store: Store;
let client: Client;
let loop: Loop | undefined;
let notice: string | null | undefined;
let logged: unknown[];

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  store = createMemoryStore({ now: () => now, shards: 3 });
  client = createClient(createEngine({ store, registry: createRegistry([]), log: silentLogger() }));
  notice = undefined;
  logged = [];
});
afterEach(() => loop?.stop());

const come = (id: string) => client.signalByKey(`tenant:${id}`, 'consent.granted', { name: 'x' }, { id });
const ids = async () => (await client.unmatched()).map(({ signalId }) => signalId).toSorted();

/** Until it has said how things stand. */
async function round(): Promise<void> {
  const log = { ...silentLogger(), info: (line: unknown) => logged.push(line) } as unknown as Logger;
  const notices = {
    async set(_: string, sentence: string | null) {
      notice = sentence;
    },
  };
  loop = startUnmatchedRetention({ store, client, notices, keptMs: KEPT_MS, log });
  await eventually(() => expect(notice).not.toBe(undefined));
  await loop.stop();
}

describe('an unmatched signal', () => {
  it('is left alone while it has time', async () => {
    await come('one');
    now += KEPT_MS - 15 * DAY_MS;

    await round();

    expect([await ids(), notice, logged]).toEqual([['one'], null, []]);
  });

  it('is counted in a banner with the day on which the first goes', async () => {
    await come('one');
    now += DAY_MS;
    await come('two');
    now += KEPT_MS - 10 * DAY_MS;

    await round();

    expect(await ids()).toEqual(['one', 'two']);
    expect(notice).toMatch(/^2 unmatched signals are removed from 2026-04-01 on/);
  });

  it('goes after its time, with a line in the log; younger ones stay', async () => {
    await Promise.all(Array.from({ length: 130 }, (_, number) => come(`old-${number}`)));
    now += KEPT_MS;
    await come('young');
    now += 1;

    await round();

    expect([await ids(), notice]).toEqual([['young'], null]);
    expect(logged).toHaveLength(130);
    expect(logged).toContainEqual({
      key: 'tenant:old-7',
      signalId: 'old-7',
      signal: 'consent.granted',
      came: '2026-01-01T00:00:00.000Z',
    });
  });
});
