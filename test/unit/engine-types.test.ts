/** What must not compile: `tsc` fails when one of the marked lines is no error. */
import { describe, expect, it } from '@jest/globals';
import { setup } from 'xstate';
import { z } from 'zod';
import {
  activity,
  type Client,
  defineActivity,
  defineWorkflow,
  implementActivity,
} from '../../engine/index.ts';
import { listener } from '../support/engine-workflows.ts';

/** Never called: only its types are looked at. */
async function misuse(client: Client): Promise<void> {
  const workflow = listener();
  await client.start(workflow, { customer: 'contoso' });
  // @ts-expect-error an input field that is not there
  await client.start(workflow, { customers: 'contoso' });
  // @ts-expect-error an input of another type
  await client.start(workflow, { customer: 5 });

  await client.signal(workflow, 'one', 'word', { text: 'hello' });
  await client.signal(workflow, 'one', 'open', {});
  // @ts-expect-error a signal the workflow does not declare
  await client.signal(workflow, 'one', 'words', { text: 'hello' });
  // @ts-expect-error a payload without its field
  await client.signal(workflow, 'one', 'word', {});
  // @ts-expect-error a payload of another type
  await client.signal(workflow, 'one', 'word', { text: 7 });

  await client.query(workflow, 'one', ({ heard }) => heard.length);
  // @ts-expect-error a context field that is not there
  await client.query(workflow, 'one', ({ seen }) => seen);

  const plain = defineWorkflow({
    name: 'plain',
    machine: setup({
      types: {} as { events: { type: 'go'; speed: number } | { type: 'halt' } },
    }).createMachine({}),
  });
  await client.signal(plain, 'one', 'go', { speed: 3 });
  // @ts-expect-error an event type the machine does not know
  await client.signal(plain, 'one', 'gone', {});
  // @ts-expect-error an event of the machine without its field
  await client.signal(plain, 'one', 'go', {});
}

function misdefine(): void {
  const machine = setup({ types: {} as { events: { type: 'go' } } }).createMachine({});
  defineWorkflow({ name: 'w', machine, signals: { go: { payload: z.object({}) } } });
  // @ts-expect-error a signal that is no event of the machine
  defineWorkflow({ name: 'w', machine, signals: { gone: { payload: z.object({}) } } });
  // @ts-expect-error a cancel event that is no event of the machine
  defineWorkflow({ name: 'w', machine, cancelEvent: 'stop' });

  const contract = defineActivity({
    name: 'count',
    description: 'Counting',
    input: z.object({ upTo: z.number() }),
    output: z.number(),
  });
  implementActivity(contract, { run: async ({ upTo }) => upTo });
  // @ts-expect-error an output of another type
  implementActivity(contract, { run: async ({ upTo }) => String(upTo) });
  setup({ actors: { count: activity(contract) } }).createMachine({
    // @ts-expect-error an input of another type
    invoke: { src: 'count', input: { upTo: 'ten' } },
  });
}

describe('types', () => {
  it('are checked by the compiler, not here', () => {
    expect([misuse, misdefine].every((each) => typeof each === 'function')).toBe(true);
  });
});
