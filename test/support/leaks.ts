import { eventually } from './eventually.ts';

/** Kinds that are ours to close; Node's own pipes and jest's timers are not. */
const WATCHED = [
  'TCPSocketWrap',
  'TCPServerWrap',
  'PipeWrap',
  'PipeServerWrap',
  'ProcessWrap',
  'FSEventWrap',
];

function count(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/**
 * Remembers the open sockets, servers and child processes now; the returned check rejects when more are open later.
 * Call it first in `beforeAll` and the check last in `afterAll`.
 */
export function watchLeaks(): (within?: number) => Promise<void> {
  const before = count();
  return async (within = 2_000) => {
    await eventually(
      () => {
        const now = count();
        const more = WATCHED.filter((kind) => (now.get(kind) ?? 0) > (before.get(kind) ?? 0));
        if (more.length > 0) throw new Error(`still open after the test: ${more.join(', ')}`);
      },
      { within },
    );
  };
}
