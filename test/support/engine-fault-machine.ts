/**
 * Ten activities with a signal awaited and a timer in between. Each activity leaves one line in the instance's file, on
 * purpose without looking whether it is there: only `verify` may keep a second one out.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setup } from 'xstate';
import { z } from 'zod';
import { activity, defineActivity, defineWorkflow, implementActivity } from '../../engine/index.ts';

export const STEPS = 10;

const contract = defineActivity({
  name: 'write',
  description: 'Writing a line',
  input: z.number(),
  output: z.number(),
  effectful: true,
  timeoutMs: 20_000,
  retry: { initialDelayMs: 20, factor: 1, maxAttempts: 1_000 },
});

const step = (n: number, next: string) =>
  ({ invoke: { src: 'write', input: n, onDone: next, onError: 'failed' } }) as const;

export const tenSteps = defineWorkflow({
  name: 'ten-steps',
  machine: setup({
    types: {} as { events: { type: 'go' } },
    actors: { write: activity(contract) },
  }).createMachine({
    initial: 's1',
    states: {
      s1: step(1, 's2'),
      s2: step(2, 's3'),
      s3: step(3, 's4'),
      s4: step(4, 's5'),
      s5: step(5, 'awaiting'),
      awaiting: { on: { go: 's6' } },
      s6: step(6, 's7'),
      s7: step(7, 'pausing'),
      pausing: { after: { 200: 's8' } },
      s8: step(8, 's9'),
      s9: step(9, 's10'),
      s10: step(10, 'done'),
      done: { type: 'final' },
      failed: { type: 'final' },
    },
  }),
  signals: { go: { payload: z.object({}) } },
});

export function linesOf(folder: string, instanceId: string): string[] {
  const file = join(folder, instanceId);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

export function writingTo(folder: string) {
  return implementActivity(contract, {
    async run(input, { instanceId }) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      appendFileSync(join(folder, instanceId), `${input}\n`);
      return input;
    },
    async verify(input, { instanceId }) {
      return linesOf(folder, instanceId).includes(String(input))
        ? { outcome: 'done', output: input }
        : { outcome: 'not-done' };
    },
  });
}
