/** Lists of everything are read from two indexes, roots and children, and page as one. */
import { expect, it } from '@jest/globals';
import { createMachine, setup } from 'xstate';
import {
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { eventually } from '../support/eventually.ts';

it('shows each root and child once, newest first, a page at a time', async () => {
  let now = 1_800_000_000_000;
  const child = createMachine({});
  const workflow = defineWorkflow({
    name: 'family',
    machine: setup({ actors: { child } }).createMachine({ invoke: { src: 'child' } }),
  });
  const store = createMemoryStore({ now: () => now, shards: 3 });
  const engine = createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() });
  const client = createClient(engine);
  for (let index = 0; index < 4; index += 1) {
    await client.start(workflow, undefined as never, { id: `family-${index}` });
    await eventually(async () =>
      expect((await client.list({ children: true })).items).toHaveLength(2 * index + 2),
    );
    now += 5;
  }
  const all = (await client.list({ children: true })).items;

  const paged: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.list(
      { children: true },
      { limit: 3, ...(cursor === undefined ? {} : { cursor }) },
    );
    paged.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);

  expect(paged).toEqual(all.map(({ id }) => id));
  expect(new Set(paged).size).toBe(8);
  const ages = all.map(({ createdAt }) => Number(createdAt));
  expect(ages).toEqual(ages.toSorted((a, b) => b - a));
  expect((await client.list({})).items.map(({ id }) => id)).toEqual([
    'family-3',
    'family-2',
    'family-1',
    'family-0',
  ]);
});
