/**
 * How much the long proof does: each size with about the seconds that one of it takes on two quiet cores. An environment variable of the name sets another size.
 */
export const LONG_RUN = {
  /** Seeds of the crash matrix: a kill at each of its points. */
  CRASH_SEEDS: { size: 200, secondsEach: 4 },
  /** Runs of the simulation, each another storm. */
  STORM_SEEDS: { size: 1_000_000, secondsEach: 0.002 },
  /** Random statecharts with a sequence of events each, beside XState's own actor. */
  ORACLE_RUNS: { size: 100_000, secondsEach: 0.004 },
  ONE_ORDER_RUNS: { size: 10_000, secondsEach: 0.22 },
  /** kill -9 of Redis under load. */
  REDIS_KILLS: { size: 1_000, secondsEach: 0.25 },
  POWER_CUTS: { size: 1_000, secondsEach: 0.3 },
  /** Connections cut behind a command, half of them by a client that may not send it again. */
  LINE_CUTS: { size: 10_000, secondsEach: 0.005 },
  /** Restarts on a file cut within one commit: more than it has bytes, so that each is cut at. */
  FILE_CUTS: { size: 1_500, secondsEach: 0.06 },
  /** Random scripts of calls on the two stores. */
  STORE_SCRIPTS: { size: 10_000, secondsEach: 0.015 },
  /** Timers due at one instant. */
  TIMERS: { size: 100_000, secondsEach: 0.006 },
  /** Instances spread over a cluster of three. */
  CLUSTER_INSTANCES: { size: 1_000, secondsEach: 0.05 },
  /** Clusters that lose a node. */
  CLUSTER_LOSSES: { size: 20, secondsEach: 10 },
};

/** Shared machines and small shares, where booting is most of it. */
const PATIENCE = 5;
const LEAST_BOUND_MS = 180_000;

/** The whole run, or the share (above 0, up to 1) of it, as environment variables. */
export function sizesOf(share) {
  return Object.fromEntries(
    Object.entries(LONG_RUN).map(([name, { size }]) => [name, String(Math.max(1, Math.round(size * share)))]),
  );
}

export function sizeOf(name, env = process.env) {
  const given = Number(env[name] ?? LONG_RUN[name].size);
  if (Number.isInteger(given) && given > 0) return given;
  throw new Error(`${name} is a whole number above 0, not '${env[name]}'.`);
}

/** Ms after which a run of that size stops by itself, and has failed. */
export function boundOf(name, size) {
  return Math.max(LEAST_BOUND_MS, PATIENCE * 1_000 * LONG_RUN[name].secondsEach * size);
}

/** `--share=0.1` taken off the command line; 1 without it. */
export function shareOf(args) {
  const given = args.find((arg) => arg.startsWith('--share='));
  const share = given === undefined ? 1 : Number(given.slice('--share='.length));
  if (!(share > 0 && share <= 1)) throw new Error(`--share is a number above 0, up to 1, not '${given}'.`);
  return { share, rest: args.filter((arg) => arg !== given) };
}

/** What such a run takes on two quiet cores, in minutes, and where the last of its bounds would end it. */
export function minutesOf(sizes) {
  const names = Object.keys(LONG_RUN);
  const sum = (of) => names.reduce((total, name) => total + of(name, Number(sizes[name])), 0);
  return {
    expected: Math.ceil(sum((name, size) => size * LONG_RUN[name].secondsEach) / 60),
    atMost: Math.ceil(sum(boundOf) / 60_000),
  };
}
