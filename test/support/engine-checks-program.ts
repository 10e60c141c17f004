/** Runs one check and prints what it found. Environment: REDIS_URL, CHECK (name), WORKER_CLOCK (`1` plants it). */
import { CHECKS } from './engine-checks.ts';

const { REDIS_URL: redisUrl = '', CHECK = '', WORKER_CLOCK } = process.env;
const check = CHECKS[CHECK as keyof typeof CHECKS];
const checked = await check({ redisUrl, workerClock: WORKER_CLOCK === '1' });
process.stdout.write(`${JSON.stringify({ msg: 'checked', ...checked })}\n`);
process.exit(0);
