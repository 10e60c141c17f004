/**
 * What a workflow costs each process: CPU, reads, writes and sleeps of driver, workers and Redis, and the commands Redis
 * counts, for each number of worker processes in turn; less what the same processes do while nothing is asked of them.
 * Holds on a busy machine, where seconds say nothing:
 *
 *     node --import ./test/support/register-ts.mjs test/bench/account.ts [ours|raw] [1,2,4] [workflows] [rounds] [fsync]
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { median } from './measure.ts';
import { openProcesses, type ProcessesOptions } from './processes.ts';

type Figures = Readonly<Record<string, number>>;

const [side = 'ours', counts = '1,2,4', size = '1000', rounds = '3', fsync = 'everysec'] =
  process.argv.slice(2);
const workflows = Number(size);
const IDLE_MS = 2_000;
const SHOWN = 0.02;

/** Since the process began: CPU in steps of 10 ms. */
async function spentBy(pid: number): Promise<Figures> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8');
  const [stat, io, status] = await Promise.all([read('stat'), read('io'), read('status')]);
  const times = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (text: string, name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1]);
  return {
    'CPU ms': (Number(times[11]) + Number(times[12])) * 10,
    reads: field(io, 'syscr'),
    writes: field(io, 'syscw'),
    sleeps: field(status, 'voluntary_ctxt_switches'),
  };
}

async function commandsOf(server: RedisServer): Promise<Figures> {
  const stats = String(await server.command('INFO', 'commandstats'));
  const rows = stats.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm);
  return Object.fromEntries([...rows].map(([, name, calls]) => [`calls of ${name}`, Number(calls)]));
}

async function spentByAll(server: RedisServer, workers: readonly number[]): Promise<Figures> {
  const named = (who: string, figures: Figures) =>
    Object.entries(figures).map(([name, value]) => [`${who} ${name}`, value] as const);
  const each = await Promise.all(workers.map(spentBy));
  const sum: Record<string, number> = {};
  for (const [name, value] of each.flatMap((one) => named('workers', one)))
    sum[name] = (sum[name] ?? 0) + value;
  return {
    ...Object.fromEntries(named('driver', await spentBy(process.pid))),
    ...sum,
    ...Object.fromEntries(named('redis', await spentBy(server.pid()))),
    ...(await commandsOf(server)),
  };
}

const difference = (after: Figures, before: Figures, divisor: number): Figures =>
  Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, (value - (before[name] ?? 0)) / divisor]),
  );

async function account(server: RedisServer, workers: number): Promise<Figures> {
  const work = { activities: 10, contextBytes: 1_024, side: side as ProcessesOptions['side'] };
  const open = await openProcesses({ redisUrl: server.url, workers, ...work });
  const spent = () => spentByAll(server, open.pids);
  await open.run(Math.ceil(workflows / 2), 'w');
  const before = await spent();
  const began = performance.now();
  await open.run(workflows, 'm');
  const seconds = (performance.now() - began) / 1_000;
  const after = await spent();
  await sleep(IDLE_MS);
  const idle = difference(await spent(), after, IDLE_MS / 1_000);
  await open.close();
  await server.command('FLUSHALL');
  const idleShare = Object.entries(idle).map(([name, rate]) => [name, (rate * seconds) / workflows] as const);
  return {
    'workflows a second': workflows / seconds,
    ...difference(difference(after, before, workflows), Object.fromEntries(idleShare), 1),
    'idle, a second: workers CPU ms': idle['workers CPU ms'] ?? Number.NaN,
    'idle, a second: workers writes': idle['workers writes'] ?? Number.NaN,
    'idle, a second: calls of evalsha': idle['calls of evalsha'] ?? Number.NaN,
  };
}

const server = await startRedisServer({ aof: fsync as 'everysec' });
const columns = counts.split(',').map((count) => ({ count: Number(count), runs: [] as Figures[] }));
for (let round = 0; round < Number(rounds); round += 1)
  for (const { count, runs } of columns) runs.push(await account(server, count));
const names = new Set(columns.flatMap(({ runs }) => runs.flatMap((run) => Object.keys(run))));
const line = (name: string, cells: readonly string[]) =>
  process.stdout.write(`${name.padEnd(36)}${cells.map((cell) => cell.padStart(10)).join('')}\n`);
line(
  `${side}, a workflow, by workers`,
  columns.map(({ count }) => String(count)),
);
for (const name of names) {
  const values = columns.map(({ runs }) => median(runs.map((run) => run[name] ?? 0)));
  if (values.some((value) => value > SHOWN))
    line(
      name,
      values.map((value) => value.toFixed(2)),
    );
}
await server.stop();
process.exit(0);
