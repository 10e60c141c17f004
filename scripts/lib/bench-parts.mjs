/**
 * The parts of the bench: which measurements each takes (all in turn, as often as there are rounds) and what rows they
 * make. A part gets `measure(variants)`, where a variant is `[name, part of test/bench/run.ts, options]`, and answers
 * with the medians by variant name.
 */
import { row } from './bench-rows.mjs';

const base = ({ workflows }) => ({ workflows, activities: 10, contextBytes: 1_024 });

/**
 * Ours, raw BullMQ and a hand-rolled step job, with one activity after the other. All have their client in the worker's
 * process; `apart` is ours with a client that shares nothing with the worker but Redis.
 */
async function throughput(measure, sizes, fsync) {
  const name = `throughput, AOF ${fsync}`;
  const { raw, step, ours, apart } = await measure(
    ['raw', 'step', 'ours', 'apart'].map((side) => [side, 'throughput', { ...base(sizes), side }]),
  );
  return [
    ...[row(name, 'workflows/s, raw BullMQ', raw.perSecond, '/s')],
    ...[row(name, 'workflows/s, BullMQ step job', step.perSecond, '/s')],
    ...[row(name, 'workflows/s, ours', ours.perSecond, '/s')],
    row(name, 'ours to raw', ours.perSecond / raw.perSecond, '×', {
      ...{ must: { least: 0.9 }, goal: { least: 1.5 } },
    }),
    row(name, 'ours to raw, client apart', apart.perSecond / raw.perSecond, '×', { must: { least: 0.9 } }),
    row(name, 'start to completion p50, ours to raw', ours.p50Ms / raw.p50Ms, '×', {
      ...{ must: { most: 1 }, goal: { most: 0.8 } },
    }),
    row(name, 'start to completion p50, ours to raw, client apart', apart.p50Ms / raw.p50Ms, '×', {
      must: { most: 1 },
    }),
    ...['raw', 'step', 'ours', 'apart'].flatMap((side) => {
      const { nodeMs, redisMs, p50Ms } = { raw, step, ours, apart }[side];
      return [
        row(name, `start to completion p50, ${side}`, p50Ms, 'ms'),
        row(name, `CPU of Node per workflow, ${side}`, nodeMs, 'ms'),
        row(name, `CPU of Redis per workflow, ${side}`, redisMs, 'ms'),
      ];
    }),
  ];
}

const ACTIVITIES = [5, 10, 20, 40, 200];

async function activities(measure, sizes) {
  const found = await measure(
    ACTIVITIES.map((count) => {
      const workflows = Math.max(20, Math.round((sizes.workflows * 10) / count));
      return [`${count}`, 'throughput', { ...base(sizes), side: 'ours', activities: count, workflows }];
    }),
  );
  const slope = (few, many) => (found[many].nodeMs - found[few].nodeMs) / (many - few);
  return [
    ...ACTIVITIES.map((count) =>
      row('activities', `CPU of Node, ${count} activities`, found[count].nodeMs, 'ms'),
    ),
    row('activities', 'CPU of Node per extra activity', slope(5, 200), 'ms', {
      ...{ must: { most: 0.12 }, goal: { most: 0.06 } },
    }),
    row('activities', 'per extra activity, 40 to 200 against 5 to 40', slope(40, 200) / slope(5, 40), '×', {
      must: { most: 1.25 },
    }),
  ];
}

async function context(measure, sizes) {
  const kilobytes = [1, 10, 100];
  const found = await measure(
    kilobytes.flatMap((size) =>
      ['raw', 'ours'].map((side) => {
        const workflows = Math.ceil(sizes.workflows / Math.sqrt(size));
        const options = { ...base(sizes), workflows, side, contextBytes: size * 1_024 };
        return [`${side}${size}`, 'throughput', options];
      }),
    ),
  );
  return kilobytes.flatMap((size) => [
    row('context', `workflows/s, ours, ${size} KB`, found[`ours${size}`].perSecond, '/s'),
    row(
      'context',
      `ours to raw, ${size} KB`,
      found[`ours${size}`].perSecond / found[`raw${size}`].perSecond,
      '×',
    ),
  ]);
}

async function processes(measure, sizes) {
  const counts = sizes.quick ? [1, 2] : [1, 2, 4];
  const found = await measure(
    counts.flatMap((workers) =>
      ['raw', 'ours'].map((side) => [`${side}${workers}`, 'processes', { ...base(sizes), side, workers }]),
    ),
  );
  return [
    ...counts.flatMap((workers) =>
      ['raw', 'ours'].map((side) =>
        row(
          'worker processes',
          `workflows/s, ${side}, ${workers}`,
          found[`${side}${workers}`].perSecond,
          '/s',
        ),
      ),
    ),
    row('worker processes', '2 against 1, ours', found.ours2.perSecond / found.ours1.perSecond, '×', {
      ...{ must: { least: 1 }, goal: { least: 1.3 } },
    }),
  ];
}

async function parked(measure, sizes) {
  const common = { contextBytes: 1_024, samples: sizes.samples };
  const found = await measure([
    ['raw', 'rawHop', common],
    ...sizes.parked.map((count) => [`${count}`, 'parked', { ...common, parked: count }]),
  ]);
  const [fewest, most] = [sizes.parked[0], sizes.parked.at(-1)];
  const { raw } = found;
  return [
    row('signal', "raw BullMQ's job hop p50", raw.hopMs, 'ms'),
    ...sizes.parked.map((count) =>
      row('signal', `signal to first line p50, ${count} parked`, found[count].hopMs, 'ms'),
    ),
    row('signal', `signal to first line to raw's hop`, found[fewest].hopMs / raw.hopMs, '×', {
      ...{ must: { most: 2 }, goal: { most: 1.3 } },
    }),
    row('signal', `${most} parked against ${fewest}`, found[most].hopMs / found[fewest].hopMs, '×', {
      must: { most: 1.1 },
    }),
    ...sizes.parked.map((count) =>
      row('parked', `Redis bytes an instance, ${count} parked`, found[count].bytes, 'bytes', {
        ...{ must: { most: 3_072 }, goal: { most: 2_560 } },
      }),
    ),
    row('parked', `worker heap an instance, ${most} parked`, found[most].heapBytes, 'bytes', {
      must: { most: 16 },
    }),
  ];
}

async function timers(measure, sizes) {
  const { timers } = await measure([['timers', 'timers', sizes.timers]]);
  return [
    row('timers', 'fired', timers.fired, '', { must: { least: sizes.timers.due } }),
    row('timers', 'early', timers.early, '', { must: { most: 0 } }),
    row('timers', 'late p50', timers.p50Ms, 'ms'),
    row('timers', 'late p99', timers.p99Ms, 'ms', { must: { most: 1_000 }, goal: { most: 250 } }),
  ];
}

async function resume(measure, sizes) {
  const { resume } = await measure([['resume', 'resume', { instances: sizes.resumed }]]);
  return [
    row('kill -9', 'begun again after, p50', resume.p50Ms, 'ms'),
    row('kill -9', 'begun again after, p99', resume.p99Ms, 'ms', {
      ...{ must: { most: 10_000 }, goal: { most: 5_000 } },
    }),
  ];
}

/** On a Redis of its own, which is killed. */
async function restart(measure, sizes) {
  const policies = ['everysec', 'always'];
  const found = await measure(
    policies.map((fsync) => [fsync, 'restart', { fsync, parked: sizes.restarted }]),
    1,
  );
  return policies.flatMap((fsync) => {
    const name = `Redis killed, AOF ${fsync}, ${sizes.restarted} parked`;
    return [
      row(name, 'reachable again after', found[fsync].reachableMs, 'ms'),
      row(name, "a signal's activity begun after", found[fsync].servingMs, 'ms', { must: { most: 10_000 } }),
      row(name, 'worker heap an instance', found[fsync].heapBytes, 'bytes', { must: { most: 16 } }),
    ];
  });
}

async function listing(measure, sizes) {
  const options = { sizes: sizes.listed, samples: Math.ceil(sizes.samples / 4) };
  // Filling the store takes longest, and each size is measured many times in turn: once will do.
  const { all } = await measure([['all', 'listing', options]], 1);
  const [fewest, most] = [sizes.listed[0], sizes.listed.at(-1)];
  const whats = Object.keys(all).flatMap((key) =>
    key.startsWith(`${most} `) ? [key.slice(`${most} `.length)] : [],
  );
  // By some filters fewer than 50 of the fewest are found: a page costs at least what a full one does.
  const atLeast = all[`${fewest} status`];
  return whats.flatMap((what) => [
    ...sizes.listed.map((size) => row('listing', `50 of ${size} by ${what}`, all[`${size} ${what}`], 'ms')),
    row(
      ...['listing', `by ${what}, ${most} against ${fewest}`],
      ...[all[`${most} ${what}`] / Math.max(atLeast, all[`${fewest} ${what}`]), '×', { must: { most: 1.5 } }],
    ),
  ]);
}

async function history(measure, sizes) {
  const { age } = await measure([['age', 'history', { entries: sizes.entries, samples: sizes.samples }]]);
  const name = `${sizes.entries} history entries`;
  return [
    row(name, 'resuming, against a new instance', age.oldMs / age.newMs, '×', { must: { most: 1.2 } }),
    row(name, 'a signal, against a new instance', age.oldSignalMs / age.newSignalMs, '×', {
      must: { most: 1.2 },
    }),
  ];
}

/** By name, in the order they run. `throughput` runs once for each fsync policy, the rest with the first. */
export const PARTS = {
  throughput,
  activities,
  context,
  processes,
  parked,
  timers,
  resume,
  restart,
  listing,
  history,
};

export const FULL = {
  ...{ quick: false, workflows: 3_000, samples: 200, parked: [1_000, 10_000, 100_000] },
  timers: { pending: 100_000, due: 2_000, jobs: 20_000 },
  ...{ resumed: 200, restarted: 100_000, listed: [1_000, 10_000, 100_000, 1_000_000], entries: 10_000 },
};

export const QUICK = {
  ...{ quick: true, workflows: 150, samples: 24, parked: [200, 1_000] },
  timers: { pending: 500, due: 200, jobs: 500 },
  ...{ resumed: 20, restarted: 1_000, listed: [1_000, 5_000], entries: 500 },
};
