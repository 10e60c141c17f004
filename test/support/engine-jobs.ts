import { Queue } from 'bullmq';
import { activityOutboxId } from '../../engine/commit.ts';
import type { House } from './engine-house.ts';

/** Puts further jobs for an activity before the workers, as a lost acknowledgement or an eager sweeper would. */
export async function dispatchAgain(
  house: House,
  instanceId: string,
  token: string,
  times: number,
): Promise<void> {
  const queue = new Queue('default', {
    connection: house.redis,
    prefix: `{${house.namespace}:q:default}`,
    skipVersionCheck: true,
  });
  const outboxId = activityOutboxId(instanceId, token, 'default');
  for (let time = 0; time < times; time += 1) {
    await queue.add(
      'activity',
      { instanceId, token, queue: 'default', outboxId },
      { removeOnComplete: true },
    );
  }
  await queue.close();
}
