/** Timers under load: many pending, a backlog of jobs, and how late (or early) those due are fired. */
import type { InstanceRecord } from '../../engine/record.ts';
import { benchWorkflow, timerWorkflow } from './machine.ts';
import { drive, percentile } from './measure.ts';
import { openHouse } from './sides.ts';

export interface TimersOptions {
  readonly redisUrl: string;
  /** Timers far in the future. */
  readonly pending: number;
  /** Timers that fall due while the jobs are worked on. */
  readonly due: number;
  readonly jobs: number;
}

const DAY_MS = 86_400_000;
const SPREAD_MS = 3_000;
const HEAD_START_MS = 2_000;

export async function timers({ redisUrl, pending, due, jobs }: TimersOptions) {
  const work = benchWorkflow({ activities: 4, contextBytes: 256, before: 5 });
  const dueAt = new Map<string, number>();
  const late: number[] = [];
  const house = await openHouse(redisUrl, [timerWorkflow, work], {
    onCommitted(record: InstanceRecord) {
      const at = dueAt.get(record.id);
      const [timer] = Object.values(record.timers);
      if (at === undefined) return;
      if (timer !== undefined) dueAt.set(record.id, timer.fireAt);
      else if (record.status === 'completed') late.push(house.store.now() - at);
    },
  });
  const start = async (id: string, delay: number): Promise<void> => {
    await house.client.start(timerWorkflow, { delay }, { id });
  };
  await drive(pending, 200, (index) => start(`far${index}`, DAY_MS + index));
  await drive(due, 200, (index) => {
    dueAt.set(`due${index}`, 0);
    return start(`due${index}`, HEAD_START_MS + due * 0.5 + Math.random() * SPREAD_MS);
  });
  let working = true;
  const backlog = drive(jobs, 500, (index) =>
    house.client.start(work, { id: `j${index}` }, { id: `j${index}` }),
  ).then(() => {
    working = false;
  });
  const deadline = performance.now() + 120_000;
  while (late.length < due && performance.now() < deadline) await new Promise((go) => setTimeout(go, 50));
  const firedUnderLoad = working;
  await backlog;
  await house.close();
  return {
    fired: late.length,
    early: late.filter((ms) => ms < 0).length,
    p50Ms: percentile(late, 0.5),
    p99Ms: percentile(late, 0.99),
    firedUnderLoad,
  };
}
