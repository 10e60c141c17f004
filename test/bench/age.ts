/** Age and number: an instance with a long history against a new one; listing 50 among few and among many. */
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
  all: {},
  status: { status: 'running' },
  workflow: { workflow: 'bench-notes' },
  'status and workflow': { status: 'running', workflow: 'bench-notes' },
  state: { workflow: 'bench-notes', state: 'open' },
  'rare status': { status: 'completed' },
  attention: { attention: true },
} as const;

/** A page of 50 by every filter among `instances`, which are copies of one that was really started. */
export async function listing(options: { redisUrl: string; instances: number; samples: number }) {
  const { redisUrl, instances, samples } = options;
  const house = await openHouse(redisUrl, [notesWorkflow]);
  const { client, store } = house;
  await client.start(notesWorkflow, undefined, { id: 'model' });
  const model = await store.load('model');
  if (model === null) throw new Error('no model');
  const [line = ''] = await store.history('model', 0, 1);
  await drive(instances, 500, (index) => store.commit(copyOf(model, line, index)));
  const works = Object.entries(FILTERS).map(
    ([name, filter]) => [name, () => client.list(filter, { limit: 50 })] as const,
  );
  const times = await timesOf(samples, Object.fromEntries(works));
  await house.close();
  return times;
}

/** Every hundredth is complete, every thousandth wants attention. */
function copyOf(model: { body: string; machine: string }, historyLine: string, index: number): CommitEntry {
  const id = `c${index}`;
  const status = index % 100 === 0 ? 'completed' : 'running';
  const common = ['roots', `status:${status}`, 'workflow:bench-notes', 'state:bench-notes:open'];
  return {
    ...{ instanceId: id, expectedRevision: 0, notBefore: null, machine: model.machine, historyLine },
    body: model.body.replaceAll('"model"', `"${id}"`),
    ...{ signal: null, secrets: { set: [], drop: [] }, timers: { set: [], clear: [] } },
    ...{ outbox: { add: [], drop: [] }, claims: { add: [], drop: [] }, forget: [], wake: false },
    indexes: { score: index, add: index % 1_000 === 0 ? [...common, 'attention'] : common, drop: [] },
  };
}
