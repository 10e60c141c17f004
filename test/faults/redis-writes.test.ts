/** What a store at work is told and what it keeps, whatever is done to its Redis. */
import { describe, expect, it } from '@jest/globals';
import { reportProof } from '../support/proof-report.ts';
import { reportRedis } from '../support/redis-proof.ts';
import {
  answersUnsynced,
  cutConnections,
  cutPower,
  everyTenth,
  fillDisk,
  fillMemory,
  flushScripts,
  killUnderLoad,
  tearCommit,
} from '../support/redis-scenarios.ts';

const WHOLE = { lost: 0, torn: [], falselyRefused: [] };

describe('every acknowledged commit is kept, whole and once', () => {
  it('over kill -9 of Redis under load', async () => {
    const outcome = await killUnderLoad(8);
    reportRedis('kill -9 under load', { 'kill -9 of Redis': outcome.kills }, outcome);

    expect(outcome).toMatchObject(WHOLE);
    expect(outcome.kept).toBeGreaterThan(8 * 50);
  }, 60_000);

  it('over power cuts, with a Redis that syncs always', async () => {
    const outcome = await cutPower('always', 10);
    reportRedis('power cut', { [`power cuts (${outcome.how})`]: outcome.cuts }, outcome);

    expect(outcome).toMatchObject({ ...WHOLE, cuts: 10 });
    expect(outcome.kept).toBeGreaterThan(10 * 100);
  }, 60_000);

  it('over an emptied script cache', async () => {
    const outcome = await flushScripts(30);
    reportRedis('script cache emptied', { 'SCRIPT FLUSH': outcome.flushes }, outcome);

    expect(outcome).toMatchObject(WHOLE);
    expect(outcome.errors).toEqual({});
    expect(outcome.kept).toBeGreaterThan(30 * 20);
  }, 60_000);

  it('over a line cut behind the command, by a client that sends it again', async () => {
    const outcome = await cutConnections(160, 'worker');
    reportRedis('line cut behind the command of a worker', { 'lines cut': outcome.cuts }, outcome);

    expect(outcome).toMatchObject({ ...WHOLE, kept: 160, unknown: 0 });
    expect(outcome.cuts).toBeGreaterThanOrEqual(160);
  }, 60_000);

  it('over a line cut behind the command, by a client that is told the outcome is unknown', async () => {
    const outcome = await cutConnections(160, 'service');
    reportRedis('line cut behind the command of a service', { 'lines cut': outcome.cuts }, outcome);

    expect(outcome).toMatchObject({ ...WHOLE, kept: 160, unknown: 160 });
    expect(outcome.cuts).toBeGreaterThanOrEqual(160);
  }, 60_000);
});

describe('a power cut', () => {
  it('takes acknowledged commits from a Redis that syncs each second, which this very check sees, but tears none', async () => {
    const outcome = await cutPower('everysec', 3);

    expect(outcome.lost).toBeGreaterThan(0);
    expect(outcome.torn).toEqual([]);
  }, 60_000);

  it('finds no answer that went out before the sync, with a Redis that syncs always', async () => {
    expect(await answersUnsynced('always')).toBe(false);
    expect(await answersUnsynced('everysec')).toBe(true);
  }, 30_000);
});

describe('a commit half written to the append-only file', () => {
  it('stands wholly or not at all, and is answered rightly when it is sent again', async () => {
    const tears = await tearCommit(function* (bytes) {
      // Both ends byte by byte, where a length or the closing EXEC is torn; in between now and then.
      for (let cut = 0; cut < 20; cut += 1) yield cut;
      for (let cut = 20; cut < bytes - 40; cut += 37) yield cut;
      for (let cut = bytes - 40; cut <= bytes; cut += 1) yield cut;
    });
    reportProof({
      suite: 'redis: append-only file cut within a commit',
      injected: { cuts: tears.cuts },
      done: { 'wholly before': tears.before, 'wholly after': tears.after },
      lost: tears.torn.length + tears.misjudged.length,
    });

    expect(tears).toMatchObject({ torn: [], misjudged: [] });
    expect(tears.before).toBeGreaterThan(60);
    expect(tears.after).toBeGreaterThan(0);
  }, 60_000);

  it('leaves nothing behind that a later start runs', async () => {
    const tears = await tearCommit(everyTenth, { goesOn: true });
    reportProof({
      suite: 'redis: append-only file cut within a commit, and Redis killed again',
      injected: { cuts: tears.cuts },
      done: { 'wholly before': tears.before, 'wholly after': tears.after },
      lost: tears.torn.length + tears.misjudged.length,
    });

    expect(tears).toMatchObject({ torn: [], misjudged: [], before: 10, after: 1 });
  }, 60_000);
});

describe('a store without room', () => {
  it('on a full disk tells its writers so, tears nothing, and goes on once there is room', async () => {
    for (const aof of ['always', 'everysec'] as const) {
      const outcome = await fillDisk(aof);
      const refused = { 'writes refused': outcome.refused };
      reportRedis(`disk full, AOF ${aof}`, refused, outcome, { 'commits with room again': outcome.resumed });

      expect(outcome).toMatchObject(WHOLE);
      expect(Object.keys(outcome.errors)).toEqual(['store-unavailable']);
      expect(outcome.resumed).toBeGreaterThan(0);
    }
  }, 60_000);

  it('in full memory tells its writers so, tears nothing, and goes on once there is room', async () => {
    const outcome = await fillMemory();
    const refused = { 'writes refused': outcome.refused };
    reportRedis('maxmemory', refused, outcome, { 'commits with room again': outcome.resumed });

    expect(outcome).toMatchObject(WHOLE);
    expect(Object.keys(outcome.errors)).toEqual(['store-unavailable']);
    expect(outcome.resumed).toBeGreaterThan(0);
  }, 60_000);
});
