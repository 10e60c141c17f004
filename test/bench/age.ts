/** Age and number: an instance with a long history against a new one; listing 50 among few and among many. */
import { INDEX, type ListFilter } from '../../engine/index.ts';
import type { CommitEntry } from '../../engine/store.ts';
import { notesWorkflow } from './machine.ts';
import { drive, median } from './measure.ts';
import { openHouse } from './sides.ts';

/** Median ms of each kind of work, done in turn so that all meet the same moments. */
async function timesOf<Name extends string>(
  samples: number,
  works: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(works) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  await drive(samples, 1, async () => {
    for (const name of names) {
      const began = performance.now();
      await works[name]();
      times[name].push(performance.now() - began);
    }
  });
  const settled = names.map((name) => [name, median(times[name].slice(Math.floor(samples / 4)))] as const);
  return Object.fromEntries(settled) as Record<Name, number>;
}

/** Loading an instance and taking a signal, new and after `entries` history entries. */
export async function history(options: { redisUrl: string; entries: number; samples: number }) {
  const { redisUrl, entries, samples } = options;
  const house = await openHouse(redisUrl, [notesWorkflow]);
  const { client } = house;
  await client.start(notesWorkflow, undefined, { id: 'old' });
  await client.start(notesWorkflow, undefined, { id: 'new' });
  await drive(entries, 20, () => client.signalById('old', 'note', {}));
  const times = await timesOf(samples, {
    oldMs: () => client.describe('old'),
    newMs: () => client.describe('new'),
    oldSignalMs: () => client.signalById('old', 'note', {}),
    newSignalMs: () => client.signalById('new', 'note', {}),
  });
  await house.close();
  return times;
}

const FILTERS = {
  nothing: {},
  'nothing, children too': { children: true },
  status: { status: 'running' },
  'rare status': { status: 'completed' },
  workflow: { workflow: 'bench-notes' },
  'status and workflow': { status: 'running', workflow: 'bench-notes' },
  'status and workflow, nowhere both': { status: 'failed', workflow: 'bench-notes' },
  state: { workflow: 'bench-notes', state: 'open' },
  'whom it waits for': { waitingOn: 'customer' },
  'whom it waits for and workflow': { waitingOn: 'customer', workflow: 'bench-notes' },
  'whom it waits for and task, nowhere both': { waitingOn: 'customer', task: true },
  task: { task: true, children: true },
  attention: { attention: true },
  'attention and workflow': { attention: true, workflow: 'bench-notes' },
  'attention and task': { attention: true, task: true },
} as const satisfies Record<string, ListFilter>;

const COUNTS = {
  status: { status: 'running' },
  'status and workflow': { status: 'running', workflow: 'bench-notes' },
  'task and workflow': { task: true, workflow: 'bench-notes' },
} as const;

/**
 * A page of 50 by every filter, a page from the middle, and counts, as the number of instances grows through `sizes`.
 * They are copies of one that was really started. Figures by `<size> <what>`, ms.
 */
export async function listing(options: { redisUrl: string; sizes: readonly number[]; samples: number }) {
  const { redisUrl, sizes, samples } = options;
  const house = await openHouse(redisUrl, [notesWorkflow]);
  const { client, store } = house;
  await client.start(notesWorkflow, undefined, { id: 'model' });
  const model = await store.load('model');
  if (model === null) throw new Error('no model');
  const [line = ''] = await store.history('model', 0, 1);
  const page = (filter: ListFilter, more: object = {}) => client.list(filter, { limit: 50, ...more });
  const figures: Record<string, number> = {};
  let there = 0;
  for (const size of sizes) {
    const first = there;
    await drive(size - first, 1_000, (index) => store.commit(copyOf(model, line, first + index)));
    there = size;
    const middle = Buffer.from(`${Math.floor(size / 2)}:`).toString('base64url');
    const times = await timesOf(samples, {
      ...works(FILTERS, (filter) => page(filter)),
      ...works({ 'status, from the middle': FILTERS.status }, (filter) => page(filter, { cursor: middle })),
      ...works(COUNTS, (filter) => client.count(filter), 'count of '),
    });
    for (const [what, ms] of Object.entries(times)) figures[`${size} ${what}`] = ms;
  }
  await house.close();
  return figures;
}

function works<Filter>(
  filters: Readonly<Record<string, Filter>>,
  work: (filter: Filter) => Promise<unknown>,
  prefix = '',
): Record<string, () => Promise<unknown>> {
  return Object.fromEntries(
    Object.entries(filters).map(([name, filter]) => [`${prefix}${name}`, () => work(filter)]),
  );
}

/**
 * Of two workflows in turn and each fourth a child; every hundredth is complete, every thousandth wants attention, every
 * second waits for the customer and every tenth of the others has a task.
 */
function copyOf(model: { body: string; context: string }, historyLine: string, index: number): CommitEntry {
  const id = `c${index}`;
  const place = index % 4 === 3 ? 'children' : 'roots';
  const workflow = index % 8 < 4 ? 'bench-notes' : 'bench-other';
  const status = index % 100 === 0 ? 'completed' : 'running';
  const open = index % 2 === 0 ? INDEX.waitingOn(place, 'customer') : INDEX.waitingOn(place, 'operator');
  const add = [
    ...[INDEX.status(place, status), INDEX.workflow(place, workflow, status)],
    ...(status === 'running' ? [INDEX.state(place, workflow, 'open'), open] : []),
    ...(index % 20 === 1 ? [INDEX.task(place)] : []),
    ...(index % 1_000 < 2 ? [INDEX.attention(place)] : []),
  ];
  return {
    ...{ instanceId: id, expectedRevision: 0, notBefore: null, context: model.context, historyLine },
    body: model.body.replaceAll('"model"', `"${id}"`),
    ...{ signal: null, secrets: { set: [], drop: [] }, timers: { set: [], clear: [] } },
    ...{ outbox: { add: [], drop: [] }, claims: { add: [], drop: [] }, forget: [], wake: false },
    indexes: { score: index, add, drop: [] },
  };
}
