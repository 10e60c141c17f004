/** Old and new code beside each other as real processes, and instances taken from one to the other under kill -9. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Client, createClient, createEngine, createRegistry, refOf } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { type House, openHouse } from '../support/engine-house.ts';
import { firstVersion, notesOf, secondVersion } from '../support/engine-versions-machine.ts';
import { eventually } from '../support/eventually.ts';
import { recordOne } from '../support/histories.ts';
import { expectReplays } from '../support/replays.ts';
import { parseLine, type Spawned, spawnNode } from '../support/spawn.ts';
import { testRedisUrl } from '../support/test-redis.ts';

const PROGRAM = 'test/support/engine-versions-program.ts';
const WITHIN = 30_000;
const both = createRegistry([firstVersion, secondVersion]);

let house: House;
let client: Client;
let effects: string;
let children: Spawned[];
beforeEach(async () => {
  house = await openHouse({ workflows: [] });
  effects = mkdtempSync(join(tmpdir(), 'versions-'));
  children = [];
  client = createClient(createEngine({ store: house.store, registry: both, log: silentLogger() }));
});
afterEach(async () => {
  await Promise.all(children.filter((child) => child.running()).map((child) => child.kill9()));
  await house.close();
  rmSync(effects, { recursive: true });
});

async function program(name: string, versions: string, more: Record<string, string> = {}, ready?: null) {
  const env = {
    REDIS_URL: testRedisUrl(),
    NAMESPACE: house.namespace,
    EFFECTS: effects,
    NAME: name,
    VERSIONS: versions,
  };
  const child = await spawnNode(PROGRAM, { env: { ...env, ...more }, ...(ready === null ? { ready } : {}) });
  children.push(child);
  return child;
}

async function start(workflow: typeof firstVersion | typeof secondVersion, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1)
    ids.push((await client.start(workflow as typeof firstVersion, undefined as never)).instance.id);
  return ids;
}
const go = (ids: readonly string[]) =>
  Promise.all(ids.map((id) => client.signalById(id, 'go', {}, { id: 'go' })));
const states = async (ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await client.describe(id))?.state));
const all = (ids: readonly string[], state: string) =>
  eventually(async () => expect(new Set(await states(ids))).toEqual(new Set([state])), { within: WITHIN });

describe('old and new workers on one store', () => {
  it('each does what it knows and leaves the rest alone; what only the new one knows waits for it', async () => {
    await program('old', '1');
    const fresh = await program('new', '1,2');
    const [ones, twos] = [await start(firstVersion, 15), await start(secondVersion, 15)];
    await all(ones, 'waiting');
    await all(twos, 'asking');
    await fresh.kill9();

    await go([...ones, ...twos]);
    const late = await start(secondVersion, 3);
    await all(ones, 'done');
    // The old worker has met their timers and activities, and given them back.
    for (const id of [...twos, ...late])
      expect(await client.describe(id)).toMatchObject({ status: 'running', attention: null, version: 2 });
    expect((await client.list({ status: 'running' }, { limit: 50 })).items).toHaveLength(18);
    await program('newer', '2');
    await all(twos, 'done');
    await all(late, 'asking');

    for (const id of ones)
      expect(notesOf(effects, id).map((line) => line.split(' ')[0])).toEqual(['v1-before', 'v1-behind']);
    for (const id of twos) {
      expect(notesOf(effects, id).map((line) => line.split(' ')[0])).toEqual(['v2-before', 'v2-behind']);
      expect(notesOf(effects, id).filter((line) => line.endsWith(' by old'))).toEqual([]);
    }
    expect(await client.count({ attention: true })).toBe(0);
  }, 90_000);

  it('old code lists and shows what it cannot run', async () => {
    const [id = ''] = await start(secondVersion, 1);
    const old = createClient(
      createEngine({ store: house.store, registry: createRegistry([firstVersion]), log: silentLogger() }),
    );

    expect((await old.list({})).items).toMatchObject([
      { id, workflow: 'versioned', version: 2, status: 'running', state: 'opening', accepts: [] },
    ]);
    expect(await old.describe(id)).toMatchObject({ activities: [{ name: 'note' }] });
    await expect(old.pause(id)).rejects.toMatchObject({ code: 'workflow-version-missing' });
  });
});

describe('a migration killed in the middle', () => {
  it.each([
    ['before-commit', 9],
    ['after-commit', 10],
  ])(
    '%s, goes on where it was cut: each instance is moved once and loses nothing',
    async (point, moved) => {
      await program('new', '1,2');
      const ids = await start(firstVersion, 24);
      await all(ids, 'waiting');

      const killed = await program('first', '1,2', { MIGRATE: '1', KILL_AT: `${point}:9` }, null);
      expect(await killed.exited).toBe('SIGKILL');
      const versions = await Promise.all(ids.map(async (id) => (await client.describe(id))?.version));
      expect(versions.filter((version) => version === 2)).toHaveLength(moved);
      const again = await program('second', '1,2', { MIGRATE: '1' });
      expect(parseLine(again.lines.find((line) => line.includes('report')) ?? '')).toMatchObject({
        report: { examined: 24 - moved, moved: 24 - moved, refused: [] },
      });
      await go(ids);
      await all(ids, 'done');

      for (const id of ids) {
        const history = await client.history(id);
        expect(history.filter(({ event }) => event.kind === 'migrate')).toHaveLength(1);
        expect(await client.describe(id)).toMatchObject({ version: 2, context: { title: 'migrated' } });
        expect(notesOf(effects, id).map((line) => line.split(' ')[0])).toEqual(['v1-before', 'v2-behind']);
        expectReplays(both, await recordOne(house.store, id));
      }
    },
    90_000,
  );
});

describe('npm run deploy-check', () => {
  const check = () =>
    spawnNode('workers/deploy-check.ts', {
      env: { REDIS_URL: testRedisUrl(), NAMESPACE: house.namespace, SHARDS: '2' },
      ready: null,
    });

  it('ends well on a store without instances, and badly on one whose instances this code does not know', async () => {
    const well = await check();
    expect([await well.exited, well.lines.at(-1)]).toEqual([0, 'All 0 live instances fit.']);
    const [id = ''] = await start(firstVersion, 1);

    const badly = await check();

    expect(await badly.exited).toBe(1);
    const text = badly.lines.join('\n');
    expect(text).toContain(`${refOf(firstVersion)}: 'versioned@1' is not registered`);
    expect(text).toContain(id);
    expect(text).toContain('Do not deploy: of 1 live instances some do not fit.');
    expect(text).toMatch(/"ok": false/);
  }, 60_000);
});
