import { afterEach, describe, expect, it } from '@jest/globals';
import { fromPromise, setup } from 'xstate';
import { defineWorkflow } from '../../engine/index.ts';
import { type House, openHouse } from '../support/engine-house.ts';
import { eventually } from '../support/eventually.ts';

let house: House;
afterEach(() => house.close());

describe('two workers', () => {
  it('share the work, and every activity runs once', async () => {
    const runs = new Map<string, string[]>();
    const machineFor = (worker: string) =>
      setup({
        types: {} as { input: string; context: { id: string } },
        actors: {
          work: fromPromise(async ({ input }: { input: string }) => {
            runs.set(input, [...(runs.get(input) ?? []), worker]);
            await new Promise((resolve) => setTimeout(resolve, 15));
            return worker;
          }),
        },
      }).createMachine({
        context: ({ input }) => ({ id: input }),
        initial: 'one',
        states: {
          one: { invoke: { src: 'work', input: ({ context }) => `${context.id}.1`, onDone: 'two' } },
          two: { invoke: { src: 'work', input: ({ context }) => `${context.id}.2`, onDone: 'end' } },
          end: { type: 'final' },
        },
      });
    const workflow = defineWorkflow({ name: 'shared', machine: machineFor('a') });
    house = await openHouse({ workflows: [workflow], concurrency: 4 });
    const { client } = await house.worker();
    await house.worker({ workflows: [defineWorkflow({ name: 'shared', machine: machineFor('b') })] });

    await Promise.all(Array.from({ length: 60 }, (_, n) => client.start(workflow, `i${n}`)));

    await eventually(async () => expect(await client.count({ status: 'completed' })).toBe(60), {
      within: 20_000,
    });
    expect(runs.size).toBe(120);
    expect([...runs.values()].every((by) => by.length === 1)).toBe(true);
    const by = [...runs.values()].flat();
    expect(by.filter((worker) => worker === 'a').length).toBeGreaterThan(12);
    expect(by.filter((worker) => worker === 'b').length).toBeGreaterThan(12);
  });
});
