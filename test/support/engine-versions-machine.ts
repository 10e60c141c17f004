/** One workflow in two versions. Each activity leaves a line that says which version's code ran it. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from 'xstate';
import { z } from 'zod';
import {
  type AnyWorkflow,
  activity,
  defineActivity,
  defineWorkflow,
  implementActivity,
} from '../../engine/index.ts';

const contract = defineActivity({
  name: 'note',
  description: 'Noting a step',
  input: z.string(),
  output: z.string(),
  effectful: true,
  retry: { initialDelayMs: 20, factor: 1, maxAttempts: 1_000 },
});

const signals = { go: { payload: z.object({}) } };
const types = {} as { context: { notes: number; title?: string }; events: { type: 'go' } };

const first = setup({ types, actors: { note: activity(contract) } }).createMachine({
  id: 'first',
  context: { notes: 0 },
  initial: 'before',
  states: {
    before: { invoke: { src: 'note', input: 'v1-before', onDone: 'waiting' } },
    waiting: { on: { go: 'resting' } },
    resting: { after: { 150: 'behind' } },
    behind: { invoke: { src: 'note', input: 'v1-behind', onDone: 'done' } },
    done: { type: 'final' },
  },
});

const second = setup({ types, actors: { note: activity(contract) } }).createMachine({
  id: 'second',
  context: { notes: 0, title: 'native' },
  initial: 'opening',
  states: {
    opening: { invoke: { src: 'note', input: 'v2-before', onDone: 'asking' } },
    asking: { on: { go: 'resting' } },
    resting: { after: { 150: 'behind' } },
    behind: { invoke: { src: 'note', input: 'v2-behind', onDone: 'done' } },
    done: { type: 'final' },
  },
});

export const firstVersion = defineWorkflow({ name: 'versioned', machine: first, signals });
export const secondVersion = defineWorkflow({
  name: 'versioned',
  version: 2,
  machine: second,
  signals,
  migrate: ({ context }) => ({
    context: { ...(context as { notes: number }), title: 'migrated' },
    states: { before: 'opening', waiting: 'asking' },
  }),
});
export const versionsOf = (list: string): readonly AnyWorkflow[] =>
  [firstVersion, secondVersion].filter(({ version }) => list.includes(String(version)));

/** `<step> by <worker>`, in the order they were done. */
export function notesOf(folder: string, instanceId: string): readonly string[] {
  const file = join(folder, instanceId);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

export function notingTo(folder: string, worker: string) {
  return implementActivity(contract, {
    async run(input, { instanceId }) {
      appendFileSync(join(folder, instanceId), `${input} by ${worker}\n`);
      return input;
    },
    async verify(input, { instanceId }) {
      const done = notesOf(folder, instanceId).some((line) => line.startsWith(`${input} `));
      return done ? { outcome: 'done', output: input } : { outcome: 'not-done' };
    },
  });
}
