/** Workflows in numbers, then one at a time. */
import { drive, median, spend } from './measure.ts';
import { openSide, type SideName } from './sides.ts';

export interface ThroughputOptions {
  readonly redisUrl: string;
  readonly side: SideName;
  readonly workflows: number;
  readonly activities: number;
  readonly contextBytes: number;
}

const IN_FLIGHT = 100;
const ONE_AT_A_TIME = 100;

export async function throughput(options: ThroughputOptions) {
  const { workflows } = options;
  const side = await openSide(options.side, options.redisUrl, options);
  const warm = Math.ceil(workflows / 4);
  await drive(warm, IN_FLIGHT, side.one);
  const { seconds, nodeMs, redisMs } = await spend(side.redis, () =>
    drive(workflows, IN_FLIGHT, (index) => side.one(warm + index)),
  );
  const times: number[] = [];
  await drive(ONE_AT_A_TIME, 1, async (index) => {
    const began = performance.now();
    await side.one(warm + workflows + index);
    times.push(performance.now() - began);
  });
  await side.close();
  return {
    perSecond: workflows / seconds,
    nodeMs: nodeMs / workflows,
    redisMs: redisMs / workflows,
    p50Ms: median(times),
  };
}
