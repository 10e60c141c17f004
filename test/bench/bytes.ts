/** Where the bytes of parked instances are, by class of key: `node --import ./test/support/register-ts.mjs test/bench/bytes.ts 10000`. */
import type { Redis } from 'ioredis';
import { startRedisServer } from '../support/redis-server.ts';
import { benchWorkflow } from './machine.ts';
import { drive, usedMemory } from './measure.ts';
import { openHouse } from './sides.ts';

const count = Number(process.argv[2] ?? 10_000);
const WARM = 300;

/** `i:p12` is an `i`, an index is named whole. */
const classOf = (key: string): string => {
  const [, rest = key] = key.split('}:');
  return rest.startsWith('ix:') ? rest : (rest.split(':')[0] ?? rest);
};

async function bytesByClass(redis: Redis): Promise<Map<string, { keys: number; bytes: number }>> {
  const classes = new Map<string, { keys: number; bytes: number }>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000);
    cursor = next;
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    for (const [at, key] of keys.entries()) {
      const name = classOf(key);
      const one = classes.get(name) ?? { keys: 0, bytes: 0 };
      classes.set(name, { keys: one.keys + 1, bytes: one.bytes + Number(sizes[at]) });
    }
  } while (cursor !== '0');
  return classes;
}

const server = await startRedisServer({ aof: 'everysec' });
const waiting = new Map<string, () => void>();
const workflow = benchWorkflow({ activities: 8, before: 7, contextBytes: 1_024, timer: true });
const house = await openHouse(server.url, [workflow], {
  onCommitted: ({ id, machine }) => machine.value === 'waiting' && waiting.get(id)?.(),
});
const park = async (id: string): Promise<void> => {
  const parks = new Promise<void>((resolve) => waiting.set(id, resolve));
  await house.client.start(workflow, { id }, { id });
  await parks;
  waiting.delete(id);
};
await drive(WARM, 50, (index) => park(`w${index}`));
const before = await usedMemory(house.redis);
await drive(count, 100, (index) => park(`p${index}`));
const used = (await usedMemory(house.redis)) - before;
const classes = await bytesByClass(house.redis);
const sum = [...classes.values()].reduce((all, { bytes }) => all + bytes, 0);
const rows = [...classes].sort(([, a], [, b]) => b.bytes - a.bytes);
const each = (bytes: number): string => (bytes / (count + WARM)).toFixed(1).padStart(8);
for (const [name, { keys, bytes }] of rows)
  process.stdout.write(
    `${name.padEnd(32)} ${String(keys).padStart(7)} keys ${each(bytes)} bytes an instance\n`,
  );
process.stdout.write(`${each(sum)} in all; used_memory grew by ${(used / count).toFixed(1)} an instance\n`);
await house.close();
await server.stop();
process.exit(0);
