/** Lists: pages of ids, newest first, over all shards. */
import type { ListedInstance, ListPage, ListQuery } from '../store.ts';
import { isOlder } from '../store.ts';
import type { ShardKeys } from './keys.ts';
import type { RunScript, ScriptReply } from './scripts.ts';

/**
 * Members of a shard's shortest index that a page of several indexes may look at beyond its own length. What they have in
 * common is mostly found in the first hundred; where two large indexes share next to nothing, this is where a page ends
 * early and says where to go on.
 */
const LOOKED_AT = 400;

/** The newest that stand in all names of one of the groups. */
export async function listInstances(
  run: RunScript,
  shards: readonly ShardKeys[],
  { anyOf, limit, before, since }: ListQuery,
): Promise<ListPage> {
  const args = [limit, before?.score ?? '', before?.id ?? '', since ?? '-inf', LOOKED_AT + limit];
  const parts = await Promise.all(
    shards.flatMap((keys) =>
      anyOf.map((names) => run('list', names.map(keys.index), [keys.prefix, ...args]).then(readPart)),
    ),
  );
  return merge(parts, limit);
}

/** What one script read: whole down to `end`, or to the last there is. */
interface Part {
  readonly items: readonly ListedInstance[];
  readonly end: ListedInstance | null;
}

function readPart(reply: ScriptReply): Part {
  const [score, id, ...flat] = reply as readonly ScriptReply[];
  const items: ListedInstance[] = [];
  for (let at = 0; at < flat.length; at += 2)
    items.push({ id: String(flat[at]), score: Number(flat[at + 1]) });
  return { items, end: score === null || id === null ? null : { id: String(id), score: Number(score) } };
}

/** Below the newest end, a part that is not whole there might have more: the page ends with it. */
function merge(parts: readonly Part[], limit: number): ListPage {
  const end = parts.reduce<ListedInstance | null>(
    (newest, { end }) => (end !== null && (newest === null || isOlder(newest, end)) ? end : newest),
    null,
  );
  const items = parts
    .flatMap((part) => part.items)
    .filter((item) => end === null || !isOlder(item, end))
    .sort((a, b) => (isOlder(a, b) ? 1 : -1))
    .slice(0, limit);
  return { items, next: items.length === limit ? (items.at(-1) ?? null) : end };
}
