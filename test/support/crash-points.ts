/**
 * Where processes are killed. A new point is one line of `CRASH_POINTS`: the engine's own fault points, narrowed to the
 * commits it is about, and two that need none of the engine's help.
 */
import { writeSync } from 'node:fs';
import type { FaultDetail, FaultPoint, FaultPoints, Store } from '../../engine/index.ts';

/** `during-commit`: sent and not yet answered. `outside`: at any moment, by another process. */
type Moment = FaultPoint | 'during-commit' | 'outside';

interface CrashPoint {
  /** Which kind of process dies. */
  readonly process: 'api' | 'worker';
  /** Taken in turn, seed by seed. */
  readonly at: readonly [Moment, ...Moment[]];
  /** Only commits like this; default any. */
  readonly of?: (about: FaultDetail) => boolean;
  /** It is passed up to this often, less one, before it kills. Default 8. */
  readonly passes?: number;
}

const AROUND: CrashPoint['at'] = ['before-commit', 'after-commit'];
const accepts = ({ event }: FaultDetail) => event.kind === 'start' || event.kind === 'signal';
const migrates =
  (busy: boolean) =>
  ({ event }: FaultDetail) =>
    event.kind === 'migrate' && Object.keys(event.activities).length > 0 === busy;

export const CRASH_POINTS = {
  'accept, before the commit': { process: 'api', at: ['before-commit'], of: accepts },
  'accept, after the commit': { process: 'api', at: ['after-commit'], of: accepts },
  load: { process: 'worker', at: ['loaded'] },
  decide: { process: 'worker', at: ['decided'] },
  'before commit': { process: 'worker', at: ['before-commit'] },
  'during commit': { process: 'worker', at: ['during-commit'] },
  'after commit': { process: 'worker', at: ['after-commit'] },
  'before enqueue': { process: 'worker', at: ['before-enqueue'], passes: 4 },
  'after enqueue': { process: 'worker', at: ['after-enqueue'], passes: 4 },
  'before side effect': { process: 'worker', at: ['before-activity'] },
  'after side effect': { process: 'worker', at: ['after-activity'] },
  'result commit': { process: 'worker', at: AROUND, of: ({ event }) => event.kind === 'activity.done' },
  'job ack': { process: 'worker', at: ['before-ack'] },
  'timer arm': { process: 'worker', at: AROUND, of: ({ entry }) => entry.timers.set.length > 0, passes: 3 },
  'timer fire': { process: 'worker', at: AROUND, of: ({ event }) => event.kind === 'timer.fired', passes: 3 },
  'timer cancel': {
    process: 'api',
    at: AROUND,
    of: ({ event, entry }) => event.kind !== 'timer.fired' && entry.timers.clear.length > 0,
    passes: 3,
  },
  'migration of one at rest': { process: 'api', at: AROUND, of: migrates(false), passes: 4 },
  'migration of one at work': { process: 'api', at: AROUND, of: migrates(true), passes: 2 },
  'between two migrations': { process: 'api', at: ['before-migration', 'after-migration'] },
  'lease renewal': { process: 'worker', at: ['before-renewal', 'after-renewal'], passes: 1 },
  'any moment': { process: 'worker', at: ['outside'] },
} as const satisfies Readonly<Record<string, CrashPoint>>;

export type CrashPointName = keyof typeof CRASH_POINTS;
export const CRASH_POINT_NAMES = Object.keys(CRASH_POINTS) as readonly CrashPointName[];

export function crashPoint(name: CrashPointName): CrashPoint {
  return CRASH_POINTS[name];
}

/** What a process is told: die there, after that many passes. */
export interface DeathSentence {
  readonly point: CrashPointName;
  readonly at: Moment;
  readonly passes: number;
}

/** The last line of a process that dies at a named point. */
export interface LastWords {
  readonly msg: 'dying';
  readonly point: CrashPointName;
}

/** Kills this process where its parent says, over IPC. `store` is to be wrapped for `during-commit`. */
export function awaitSentence(): { readonly faults: FaultPoints; store(inner: Store): Store } {
  let sentence: DeathSentence | null = null;
  let left = 0;
  process.on('message', (message) => {
    sentence = message as DeathSentence;
    left = sentence.passes;
  });

  function strikes(at: Moment, about?: FaultDetail): boolean {
    if (sentence?.at !== at) return false;
    const { of } = crashPoint(sentence.point);
    if (of !== undefined && (about === undefined || !of(about))) return false;
    left -= 1;
    return left < 0;
  }
  function die(): void {
    const words = { msg: 'dying', point: sentence?.point };
    writeSync(1, `${JSON.stringify(words)}\n`);
    process.kill(process.pid, 'SIGKILL');
  }

  return {
    faults: {
      at(point, about) {
        if (strikes(point, about)) die();
      },
    },
    store: (inner) => ({
      ...inner,
      commit(entry) {
        const reply = inner.commit(entry);
        // By then the batch is with the kernel, and the answer is not read.
        if (strikes('during-commit')) setImmediate(die);
        return reply;
      },
    }),
  };
}
