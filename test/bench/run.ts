/** One part of the bench in this process: `run.ts <part> <options as JSON>`. Prints its figures as the last line. */
import { history, listing } from './age.ts';
import { parked, rawHop } from './parked.ts';
import { processes, resume } from './processes.ts';
import { restart } from './restart.ts';
import { throughput } from './throughput.ts';
import { timers } from './timers.ts';

const PARTS = { throughput, processes, resume, restart, parked, rawHop, timers, history, listing } as const;

const [part = '', json = '{}'] = process.argv.slice(2);
const measure = PARTS[part as keyof typeof PARTS] as ((options: never) => Promise<object>) | undefined;
if (measure === undefined) throw new Error(`There is no part '${part}'.`);
const figures = await measure(JSON.parse(json) as never);
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);
