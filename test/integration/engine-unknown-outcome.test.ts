import { afterEach, describe, expect, it } from '@jest/globals';
import { ActivityFailure } from '../../shared/errors.ts';
import { type House, openHouse } from '../support/engine-house.ts';
import { oneAct } from '../support/engine-workflows.ts';

let house: House;
afterEach(() => house.close());

describe('an attempt whose outcome is unknown', () => {
  it.each(['done', 'not-done', 'unknown'] as const)(
    'is looked up before anything is done again (%s)',
    async (found) => {
      const calls: string[] = [];
      const keys: string[] = [];
      const { workflow, activities } = oneAct({
        timeoutMs: 150,
        retry: { maxAttempts: 3 },
        async run(_input, { attempt, signal, idempotencyKey }) {
          calls.push(`run ${attempt}`);
          keys.push(idempotencyKey);
          if (attempt > 1) return 'ran again';
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          calls.push('aborted');
          return 'too late';
        },
        async verify(_input, { attempt }) {
          calls.push(`verify ${attempt}`);
          if (found === 'done') return { outcome: 'done', output: 'it was done' };
          return found === 'unknown' && attempt < 3
            ? { outcome: 'unknown', reason: 'not listed yet' }
            : { outcome: 'not-done' };
        },
      });
      house = await openHouse({ workflows: [workflow], activities });
      const { client } = await house.worker();
      const { instance } = await client.start(workflow, null);

      const view = await house.until(client, instance.id, ({ status }) => status === 'completed');

      expect(view.output).toBe(found === 'done' ? 'it was done' : 'ran again');
      expect(calls).toEqual(
        {
          done: ['run 1', 'aborted', 'verify 2'],
          'not-done': ['run 1', 'aborted', 'verify 2', 'run 2'],
          unknown: ['run 1', 'aborted', 'verify 2', 'verify 3', 'run 3'],
        }[found],
      );
      // No answer was received, so the key stays: the other side recognises a repeat.
      expect(new Set(keys).size).toBe(1);
    },
  );

  it('is never looked up after a clear answer', async () => {
    const calls: string[] = [];
    const { workflow, activities } = oneAct({
      async run(_input, { attempt }) {
        calls.push(`run ${attempt}`);
        if (attempt === 1) throw new ActivityFailure('retryable', '503', 'refused');
        return 'fine';
      },
      async verify() {
        calls.push('verify');
        return { outcome: 'not-done' };
      },
    });
    house = await openHouse({ workflows: [workflow], activities });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, null);

    await house.until(client, instance.id, ({ status }) => status === 'completed');

    expect(calls).toEqual(['run 1', 'run 2']);
  });

  it('that stays unknown ends with a person, not with a second try', async () => {
    let runs = 0;
    const { workflow, activities } = oneAct({
      retry: { maxAttempts: 3 },
      async run() {
        runs += 1;
        throw new ActivityFailure('unknown', 'reset', 'connection reset');
      },
      verify: async () => ({ outcome: 'unknown', reason: 'cannot tell' }),
    });
    house = await openHouse({ workflows: [workflow], activities });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, null);

    const view = await house.until(client, instance.id, ({ attention }) => attention !== null);

    expect(view.attention?.message).toContain('cannot tell');
    expect(runs).toBe(1);
  });
});
