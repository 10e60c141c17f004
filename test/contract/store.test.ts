/** What every store keeps, held against memory and Redis alike. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isOlder, type ListedInstance, type ListPage, type Store } from '../../engine/store.ts';
import { commitOf, STORES, type StoreBench } from '../support/engine-stores.ts';
import { eventually } from '../support/eventually.ts';

const OK = { status: 'ok' };

describe.each(STORES)('a store %s', (_where, open) => {
  let bench: StoreBench;
  let store: Store;
  beforeEach(async () => {
    bench = await open();
    store = bench.store;
  });
  afterEach(() => bench.close());

  const allOutbox = async (hideMs = 60_000) =>
    (await Promise.all(shards().map((shard) => store.dueOutbox(shard, 100, hideMs)))).flat();
  const allClaims = async () => (await Promise.all(shards().map((shard) => store.claims(shard)))).flat();
  const shards = () => Array.from({ length: store.shards }, (_, shard) => shard);

  describe('commits', () => {
    it('creates an instance once', async () => {
      expect(await store.commit(commitOf('one', 0))).toEqual(OK);
      expect(await store.commit(commitOf('one', 0, { body: 'other' }))).toEqual({ status: 'exists' });

      expect(await store.load('one')).toEqual({
        revision: 1,
        body: 'body-1',
        context: 'context-1',
        seen: null,
      });
    });

    it('answers null for an instance that is not there', async () => {
      expect(await store.load('nobody')).toBeNull();
      expect(await store.history('nobody', 0, 10)).toEqual([]);
      expect(await store.secret('nobody', 'password')).toBeNull();
    });

    it('refuses a commit on any revision but the present one and changes nothing', async () => {
      await store.commit(commitOf('one', 0));
      await store.commit(commitOf('one', 1));

      for (const stale of [1, 3, 7]) {
        const entry = commitOf('one', stale, {
          signal: { id: 's', outcome: 'applied' },
          timers: { set: [['t', 1]] },
          outbox: { add: [{ id: 'a|one|t|q', delayMs: 0, body: null }] },
          indexes: { add: ['all'] },
        });
        expect(await store.commit(entry)).toEqual({ status: 'conflict' });
      }
      expect(await store.commit(commitOf('nobody', 4))).toEqual({ status: 'conflict' });

      expect(await store.load('one', 's')).toMatchObject({ revision: 2, seen: null });
      expect(await store.history('one', 0, 10)).toEqual(['line-1', 'line-2']);
      expect(await store.count('all')).toBe(0);
      expect(await allOutbox()).toEqual([]);
    });

    it('refuses a commit before its time by store time, and takes it then', async () => {
      await store.commit(commitOf('one', 0));
      const due = store.now() + 60;

      expect(await store.commit(commitOf('one', 1, { notBefore: due }))).toEqual({ status: 'early' });
      expect(await store.load('one')).toMatchObject({ revision: 1 });

      await eventually(async () => {
        await bench.pass(10);
        expect(await store.commit(commitOf('one', 1, { notBefore: due }))).toEqual(OK);
      });
      await store.load('one');
      expect(store.now()).toBeGreaterThanOrEqual(due);
    });

    it('leaves nothing of an instance that a commit removes, and of a stale one everything', async () => {
      const rich = {
        signal: { id: 's', outcome: 'applied' },
        secrets: { set: [['password', 'sealed'] as const] },
        indexes: { score: 5, add: ['all'] },
      };
      await store.commit(commitOf('one', 0, rich));
      await store.commit(commitOf('other', 0, rich));
      const removal = { remove: true, indexes: { score: 5, drop: ['all'] } };

      expect(await store.commit(commitOf('one', 3, removal))).toEqual({ status: 'conflict' });
      expect(await store.load('one', 's')).toMatchObject({ revision: 1, seen: 'applied' });
      expect(await store.commit(commitOf('one', 1, removal))).toEqual(OK);

      expect(await store.load('one', 's')).toBeNull();
      expect(await store.history('one', 0, 10)).toEqual([]);
      expect(await store.secret('one', 'password')).toBeNull();
      expect(await store.count('all')).toBe(1);
      expect(await store.load('other', 's')).toMatchObject({ revision: 1, seen: 'applied' });
      expect(await store.commit(commitOf('one', 1, removal))).toEqual({ status: 'conflict' });
      expect(await store.commit(commitOf('one', 0))).toEqual(OK);
      expect(await store.load('one', 's')).toMatchObject({ revision: 1, seen: null });
    });

    it('keeps the stored context where a commit leaves it out', async () => {
      await store.commit(commitOf('one', 0, { context: 'first' }));
      await store.commit(commitOf('one', 1, { context: null, body: 'second' }));

      expect(await store.load('one')).toMatchObject({ revision: 2, body: 'second', context: 'first' });
    });

    it('appends one history line a commit and pages through them', async () => {
      for (let revision = 0; revision < 5; revision += 1) await store.commit(commitOf('one', revision));

      expect(await store.history('one', 0, 2)).toEqual(['line-1', 'line-2']);
      expect(await store.history('one', 3, 10)).toEqual(['line-4', 'line-5']);
      expect(await store.history('one', 9, 10)).toEqual([]);
    });

    it('remembers what became of a signal', async () => {
      await store.commit(commitOf('one', 0));
      await store.commit(commitOf('one', 1, { signal: { id: 'consent-7', outcome: 'deferred' } }));

      expect((await store.load('one', 'consent-7'))?.seen).toBe('deferred');
      expect((await store.load('one', 'consent-8'))?.seen).toBeNull();
      expect((await store.load('one'))?.seen).toBeNull();
    });

    it('keeps secrets apart from the instance and drops them for good', async () => {
      await store.commit(
        commitOf('one', 0, {
          secrets: {
            set: [
              ['password', 'sealed-1'],
              ['key', 'sealed-2'],
            ],
          },
        }),
      );
      expect(await store.secret('one', 'password')).toBe('sealed-1');

      await store.commit(commitOf('one', 1, { secrets: { drop: ['password'] } }));

      expect(await store.secret('one', 'password')).toBeNull();
      expect(await store.secret('one', 'key')).toBe('sealed-2');
    });

    it('keeps text as it is, whatever it holds', async () => {
      const odd = 'ä€😀"\\\n\u0000|{}\u2028';
      await store.commit(commitOf('one', 0, { body: odd, context: odd, historyLine: odd }));

      expect(await store.load('one')).toMatchObject({ body: odd, context: odd });
      expect(await store.history('one', 0, 1)).toEqual([odd]);
    });

    it('lets one of many commits on one revision through', async () => {
      await store.commit(commitOf('one', 0));

      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, n) => store.commit(commitOf('one', 1, { body: `racer-${n}` }))),
      );

      expect(replies.filter(({ status }) => status === 'ok')).toHaveLength(1);
      expect(replies.filter(({ status }) => status === 'conflict')).toHaveLength(49);
      expect(await store.history('one', 0, 10)).toHaveLength(2);
    });

    it('takes many commits of one tick, each on its own: a refused one touches nothing', async () => {
      await store.commit(commitOf('taken', 0, { body: 'mine' }));

      const ids = Array.from({ length: 200 }, (_, n) => `many-${n}`);
      const [refused, early, ...replies] = await Promise.all([
        store.commit(commitOf('taken', 0, { body: 'theirs', indexes: { add: ['all'] } })),
        store.commit(commitOf('soon', 0, { notBefore: store.now() + 3_600_000, indexes: { add: ['all'] } })),
        ...ids.map((id, n) => store.commit(commitOf(id, 0, { indexes: { score: n, add: ['all'] } }))),
      ]);

      expect(refused).toEqual({ status: 'exists' });
      expect(early).toEqual({ status: 'early' });
      expect(replies).toEqual(ids.map(() => OK));
      expect(await store.count('all')).toBe(200);
      expect(await store.load('taken')).toMatchObject({ revision: 1, body: 'mine' });
      expect(await store.load('soon')).toBeNull();
    });
  });

  describe('the outbox', () => {
    it('shows again, when asked, what this process cannot carry out', async () => {
      const id = 'm|one|1|0';
      const shard = store.shardOf('one');
      await store.commit(commitOf('one', 0, { outbox: { add: [{ id, delayMs: 0, body: 'to two' }] } }));
      const due = async () => (await store.dueOutbox(shard, 10, 3_600_000)).map((entry) => entry.id);
      expect(await due()).toEqual([id]);

      await store.releaseOutbox(shard, id, 60_000);
      await store.releaseOutbox(shard, 'm|one|9|0', 0);
      expect(await due()).toEqual([]);

      await store.releaseOutbox(shard, id, 0);
      await eventually(async () => {
        await bench.pass(5);
        expect(await due()).toEqual([id]);
      });
    });

    it('hands an entry out when it is due and hides it for a while', async () => {
      await store.commit(
        commitOf('one', 0, {
          outbox: {
            add: [
              { id: 'a|one|1-0|q', delayMs: 0, body: null },
              { id: 'm|one|1|0', delayMs: 0, body: '{"to":"two"}' },
              { id: 'm|one|1|1', delayMs: 3_600_000, body: 'later' },
              { id: 'a|one|1-1|q', delayMs: 3_600_000, body: null },
            ],
          },
        }),
      );
      const shard = store.shardOf('one');

      expect(await store.dueOutbox(shard, 10, 40)).toEqual([
        { id: 'a|one|1-0|q', body: null },
        { id: 'm|one|1|0', body: '{"to":"two"}' },
      ]);
      await eventually(async () => {
        await bench.pass(10);
        expect(await store.dueOutbox(shard, 10, 60_000)).toHaveLength(2);
      });
      expect(await store.dueOutbox(shard, 10, 60_000)).toEqual([]);
    });

    it('hands out no more than asked for, the rest next time', async () => {
      const add = Array.from({ length: 7 }, (_, n) => ({ id: `m|one|1|${n}`, delayMs: 0, body: String(n) }));
      await store.commit(commitOf('one', 0, { outbox: { add } }));
      const shard = store.shardOf('one');

      const first = await store.dueOutbox(shard, 4, 60_000);
      const second = await store.dueOutbox(shard, 4, 60_000);

      expect([first.length, second.length]).toEqual([4, 3]);
      expect(new Set([...first, ...second].map(({ id }) => id)).size).toBe(7);
    });

    it('gives a worker that looks what it has room for, with the instance, and hides the rest', async () => {
      const activity = (token: string, queue = 'q') => ({
        ...{ id: `a|one|${token}|${queue}`, delayMs: 0, body: null },
      });
      const message = { id: 'm|one|1|0', delayMs: 0, body: 'x' };
      const add = [activity('1-0'), activity('1-1'), activity('1-2', 'other'), message];
      await store.commit(commitOf('one', 0, { outbox: { add } }));
      const shard = store.shardOf('one');

      const due = await store.dueOutbox(shard, 10, 60_000, { worker: 'w', room: [['q', 1]] });

      const stored = { revision: 1, body: 'body-1', context: 'context-1' };
      expect(due).toEqual([
        { id: 'a|one|1-0|q', body: null, claimed: { revision: 1, progress: null, stored } },
        { id: 'a|one|1-1|q', body: null },
        { id: 'a|one|1-2|other', body: null },
        { id: 'm|one|1|0', body: 'x' },
      ]);
      expect(await allClaims()).toEqual([{ instanceId: 'one', token: '1-0', worker: 'w' }]);
      expect(await store.dueOutbox(shard, 10, 60_000, { worker: 'v', room: [['q', 9]] })).toEqual([]);
      expect(await store.claim('one', 'a|one|1-0|q', { token: '1-0', worker: 'v' })).toBeNull();
      expect(await store.claim('one', 'a|one|1-1|q', { token: '1-1', worker: 'v' })).not.toBeNull();
    });

    it('gives a worker that looks nothing that is claimed already, and the progress made before', async () => {
      const add = [{ id: 'a|one|1-0|q', delayMs: 0, body: null }];
      await store.commit(commitOf('one', 0, { outbox: { add } }));
      const shard = store.shardOf('one');
      await store.claim('one', 'a|one|1-0|q', { token: '1-0', worker: 'v' });
      await store.heartbeat('one', '1-0', 'v', '7');
      await store.putBack('one', [{ kind: 'activity', token: '1-0', outboxId: 'a|one|1-0|q' }]);
      const look = (worker: string) => store.dueOutbox(shard, 10, 0, { worker, room: [['q', 1]] });

      expect(await look('w')).toEqual([{ id: 'a|one|1-0|q', body: null }]);
      expect(await look('v')).toEqual([{ id: 'a|one|1-0|q', body: null }]);
      await store.unclaim('one', '1-0', 'v', null);
      expect(await look('w')).toMatchObject([{ claimed: { revision: 1, progress: '7' } }]);
    });

    it('forgets an acknowledged or dropped entry', async () => {
      await store.commit(
        commitOf('one', 0, {
          outbox: {
            add: [
              { id: 'm|one|1|0', delayMs: 0, body: 'x' },
              { id: 'a|one|1-0|q', delayMs: 0, body: null },
              { id: 'a|one|1-1|q', delayMs: 0, body: null },
            ],
          },
        }),
      );

      await store.ackOutbox(store.shardOf('one'), ['m|one|1|0']);
      await store.ackOutbox(store.shardOf('one'), ['m|one|1|0']);
      await store.commit(commitOf('one', 1, { outbox: { drop: ['a|one|1-0|q'] } }));

      expect(await allOutbox()).toEqual([{ id: 'a|one|1-1|q', body: null }]);
    });
  });

  it('applies a signal id once, whatever revision its commits expect', async () => {
    const signal = { id: 's1', outcome: 'applied' };
    await store.commit(commitOf('one', 0, { signal }));

    expect(await store.commit(commitOf('one', 1, { signal }))).toEqual({ status: 'conflict' });
    expect(await store.load('one', 's1')).toMatchObject({ revision: 1, seen: 'applied' });
  });

  describe('claims', () => {
    const scheduled = (token: string) => ({
      outbox: { add: [{ id: `a|one|${token}|q`, delayMs: 0, body: null }] },
    });
    const claim = (token: string, worker: string) =>
      store.claim('one', `a|one|${token}|q`, { token, worker });

    it('of an instance that is gone is nobody’s, asked for or taken with what is due', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      await store.commit(commitOf('one', 1, { remove: true }));
      const shard = store.shardOf('one');

      const taking = { worker: 'w', room: [['q', 5]] } as const;
      expect(await store.dueOutbox(shard, 10, 0, taking)).toEqual([{ id: 'a|one|1-0|q', body: null }]);
      expect(await store.claims(shard)).toEqual([]);
      expect(await claim('1-0', 'w')).toBeNull();
    });

    it('gives an activity to one worker of many', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));

      const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => claim('1-0', `w${n}`)));

      expect(claims.filter((claimed) => claimed !== null)).toEqual([
        { revision: 1, stored: { revision: 1, body: 'body-1', context: 'context-1' }, progress: null },
      ]);
      expect(await allClaims()).toHaveLength(1);
      expect(await allOutbox()).toEqual([]);
    });

    it('spares a worker the instance that it has a copy of, and only of this revision', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      const claimKnowing = (known: number) =>
        store.claim('one', 'a|one|1-0|q', { token: '1-0', worker: 'w', known });

      expect(await claimKnowing(1)).toEqual({ revision: 1, stored: null, progress: null });
      expect(await claimKnowing(2)).toMatchObject({ revision: 1, stored: { body: 'body-1' } });
    });

    it('answers the same worker the same again', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));

      const first = await claim('1-0', 'w');
      await store.heartbeat('one', '1-0', 'w', '7');
      const second = await claim('1-0', 'w');

      expect(second).toEqual({ ...first, progress: '7' });
    });

    it('gives nothing that is not in the outbox', async () => {
      await store.commit(commitOf('one', 0));

      expect(await claim('9-9', 'w')).toBeNull();
      expect(await allClaims()).toEqual([]);
    });

    it('is taken inside a commit, and dropped inside one', async () => {
      await store.commit(
        commitOf('one', 0, { ...scheduled('1-0'), claims: { add: [{ token: '1-1', worker: 'w' }] } }),
      );
      expect(await allClaims()).toEqual([{ instanceId: 'one', token: '1-1', worker: 'w' }]);

      await store.commit(
        commitOf('one', 1, { claims: { drop: ['1-1'], add: [{ token: '2-0', worker: 'w' }] } }),
      );

      expect(await allClaims()).toEqual([{ instanceId: 'one', token: '2-0', worker: 'w' }]);
      expect(
        await store.lostClaims('w', [
          { instanceId: 'one', token: '1-1' },
          { instanceId: 'one', token: '2-0' },
        ]),
      ).toEqual(['one|1-1']);
      expect(await store.lostClaims('other', [{ instanceId: 'one', token: '2-0' }])).toEqual(['one|2-0']);
    });

    it('keeps an activity that is claimed out of the outbox', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      await claim('1-0', 'w');

      await store.commit(commitOf('one', 1, scheduled('1-0')));

      expect(await allOutbox()).toEqual([]);
    });

    it('puts an activity back for another attempt in the commit that ends the claim', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      await claim('1-0', 'w');

      await store.commit(commitOf('one', 1, { ...scheduled('1-0'), claims: { drop: ['1-0'] } }));

      expect(await allOutbox()).toEqual([{ id: 'a|one|1-0|q', body: null }]);
    });

    it('goes back into the outbox, a little later, when its worker gives it up', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      await claim('1-0', 'w');

      await store.unclaim('one', '1-0', 'other', 'a|one|1-0|q');
      expect(await allClaims()).toHaveLength(1);
      await store.unclaim('one', '1-0', 'w', 'a|one|1-0|q');

      expect(await allClaims()).toEqual([]);
      expect(await allOutbox()).toEqual([]);
      expect(await claim('1-0', 'other')).toMatchObject({ revision: 1 });
    });

    it('is given up for good where nothing is to be put back', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      await claim('1-0', 'w');

      await store.unclaim('one', '1-0', 'w', null);

      expect(await allClaims()).toEqual([]);
      expect(await claim('1-0', 'w')).toBeNull();
    });

    it('is left to nobody by its worker, and ends with the outcome somebody else records', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      await claim('1-0', 'w');

      await store.disown('one', '1-0', 'other');
      expect(await allClaims()).toMatchObject([{ worker: 'w' }]);
      await store.disown('one', '1-0', 'w');

      expect(await allClaims()).toMatchObject([{ token: '1-0', worker: 'w (disowned)' }]);
      expect(await claim('1-0', 'w')).toBeNull();
      await store.commit(commitOf('one', 1, { claims: { add: [], drop: ['1-0'] } }));
      expect(await allClaims()).toEqual([]);
    });

    it('carries progress to the next worker until it is forgotten', async () => {
      await store.commit(commitOf('one', 0, scheduled('1-0')));
      await claim('1-0', 'w');

      expect(await store.heartbeat('one', '1-0', 'w', '{"done":3}')).toBe(true);
      expect(await store.heartbeat('one', '1-0', 'other', '{"done":9}')).toBe(false);
      await store.unclaim('one', '1-0', 'w', 'a|one|1-0|q');
      expect((await claim('1-0', 'next'))?.progress).toBe('{"done":3}');

      await store.commit(
        commitOf('one', 1, { claims: { drop: ['1-0'] }, forget: ['1-0'], ...scheduled('1-0') }),
      );
      expect((await claim('1-0', 'next'))?.progress).toBeNull();
    });
  });

  describe('timers', () => {
    it('come out when due, in order, hidden from others for a while, until they are cleared', async () => {
      const now = store.now();
      const set = [
        ['later', now + 3_600_000],
        ['second', now - 10],
        ['first', now - 20],
      ] as const;
      await store.commit(commitOf('one', 0, { timers: { set } }));
      const shard = store.shardOf('one');

      const due = await store.dueTimers(shard, 10, 40);
      expect(due.timers).toEqual([
        { instanceId: 'one', token: 'first' },
        { instanceId: 'one', token: 'second' },
      ]);
      await store.commit(commitOf('one', 1, { timers: { clear: ['first'] } }));

      await eventually(async () => {
        await bench.pass(10);
        const again = await store.dueTimers(shard, 10, 60_000);
        expect(again.timers).toEqual([{ instanceId: 'one', token: 'second' }]);
      });
      expect((await store.dueTimers(shard, 10, 60_000)).timers).toEqual([]);
    });

    it('that a process cannot fire are shown to the others again', async () => {
      const shard = store.shardOf('one');
      await store.commit(commitOf('one', 0, { timers: { set: [['t', 1]] } }));
      const { timers } = await store.dueTimers(shard, 10, 3_600_000);

      await store.releaseTimers(shard, timers, 60_000);
      expect((await store.dueTimers(shard, 10, 60_000)).timers).toEqual([]);

      await store.releaseTimers(shard, [...timers, { instanceId: 'one', token: 'gone' }], 20);
      await eventually(async () => {
        await bench.pass(5);
        expect((await store.dueTimers(shard, 10, 60_000)).timers).toEqual([
          { instanceId: 'one', token: 't' },
        ]);
      });
    });

    it('and activities that are there are not missing, and are left as they are when put back', async () => {
      const delayed = { id: 'a|one|1-0|q', delayMs: 3_600_000, body: null };
      await store.commit(
        commitOf('one', 0, {
          timers: { set: [['t', store.now() + 3_600_000]] },
          outbox: { add: [delayed] },
          claims: { add: [{ token: '1-1', worker: 'w' }] },
        }),
      );
      const shard = store.shardOf('one');
      const timer = { kind: 'timer', token: 't', fireAt: 1 } as const;
      const waits = { kind: 'activity', token: '1-0', outboxId: delayed.id } as const;
      const runs = { kind: 'activity', token: '1-1', outboxId: 'a|one|1-1|q' } as const;
      const gone = { kind: 'activity', token: '1-2', outboxId: 'a|one|1-2|q' } as const;

      expect(await store.missing('one', [timer, waits, runs, gone])).toEqual([gone]);
      await store.putBack('one', [timer, waits, gone]);

      expect((await store.dueTimers(shard, 10, 40)).timers).toEqual([]);
      expect(await store.dueOutbox(shard, 10, 40)).toEqual([{ id: gone.outboxId, body: null }]);
    });

    it('say when the next one is due', async () => {
      const now = store.now();
      const shard = store.shardOf('one');
      expect(await store.dueTimers(shard, 10, 40)).toEqual({ timers: [], nextDue: null });

      await store.commit(commitOf('one', 0, { timers: { set: [['t', now + 5_000]] } }));
      expect(await store.dueTimers(shard, 10, 40)).toEqual({ timers: [], nextDue: now + 5_000 });
    });

    it('of short and odd ids come from their own shard', async () => {
      for (const id of ['a', 'm', 'a.1-0', 'wf_1-2', 'x']) {
        await store.commit(commitOf(id, 0, { timers: { set: [['1-0', 1]] } }));

        const { timers } = await store.dueTimers(store.shardOf(id), 10, 3_600_000);

        expect(timers).toEqual([{ instanceId: id, token: '1-0' }]);
      }
    });
  });

  describe('leases', () => {
    it('hold until they are over or dropped', async () => {
      const first = await store.renewLease('w1', 80);
      const second = await store.renewLease('w2', 60_000);

      expect(second).toEqual({ epoch: first.epoch, tick: first.tick + 1 });
      expect([...(await store.liveWorkers())].sort()).toEqual(['w1', 'w2']);
      await eventually(async () => {
        await bench.pass(10);
        expect(await store.liveWorkers()).toEqual(['w2']);
      });
      await store.dropLease('w2');
      expect(await store.liveWorkers()).toEqual([]);
    });
  });

  describe('correlation keys', () => {
    const signal = (id: string) => ({
      id,
      body: `{"event":{"type":"consent"},"pad":"${'x'.repeat(200)}${id}"}`,
    });

    it('route a signal to every instance under the key', async () => {
      await store.register('tenant:1', 'one');
      await store.register('tenant:1', 'two');
      await store.register('tenant:1', 'one');

      expect([...((await store.route('tenant:1', signal('s'))) ?? [])].sort()).toEqual(['one', 'two']);
      expect([...(await store.holders('tenant:1'))].sort()).toEqual(['one', 'two']);
      expect(await store.parked(10)).toEqual([]);
      await store.unregister('tenant:1', 'one');
      expect(await store.holders('tenant:1')).toEqual(['two']);
    });

    it('keep what came early, once a signal id, in order, until it is adopted', async () => {
      const ids = Array.from({ length: 12 }, (_, n) => `s${(n * 7) % 12}`);
      for (const id of [...ids, 's0']) expect(await store.route('tenant:1', signal(id))).toEqual([]);
      expect(await store.parked(100)).toHaveLength(12);

      const waiting = await store.register('tenant:1', 'one');

      expect(waiting.map(({ signalId }) => signalId)).toEqual(ids);
      expect(waiting[3]).toMatchObject({ key: 'tenant:1', body: signal(ids[3] ?? '').body });
      for (const { signalId } of waiting) await store.unpark('tenant:1', signalId);
      expect(await store.parked(10)).toEqual([]);
      expect(await store.register('tenant:1', 'one')).toEqual([]);
    });

    it('know a signal again when whoever had the key is gone, and keep one that still waits', async () => {
      await store.register('tenant:1', 'one');
      expect(await store.route('tenant:1', signal('taken'))).toEqual(['one']);
      await store.unregister('tenant:1', 'one');
      expect(await store.route('tenant:1', signal('taken'))).toBeNull();
      expect(await store.route('tenant:2', signal('taken'))).toEqual([]);

      expect(await store.route('tenant:1', signal('early'))).toEqual([]);
      expect(await store.route('tenant:1', signal('early'))).toEqual([]);
      await store.unpark('tenant:1', 'early');
      expect(await store.route('tenant:1', signal('early'))).toBeNull();
      expect((await store.parked(10)).map(({ key }) => key)).toEqual(['tenant:2']);
    });

    it('show what nobody claimed, newest first, with the time it came', async () => {
      const came = ['d', 'a', 'f', 'b', 'e', 'c'];
      for (const name of came) {
        await store.route(`tenant:${name}`, signal(name));
        await bench.pass(3);
      }
      await store.load('nobody');

      const parked = await store.parked(5);

      expect(parked.map(({ key, signalId }) => [key, signalId])).toEqual(
        came
          .slice(1)
          .map((name) => [`tenant:${name}`, name])
          .reverse(),
      );
      for (const { at } of parked) expect(Math.abs(store.now() - at)).toBeLessThan(5_000);
      const earlier = await store.parked(10, parked[1]?.at ?? 0);
      expect(earlier.map(({ signalId }) => signalId)).toEqual(['b', 'f', 'a', 'd']);
    });

    it('never let a signal and a registration miss each other', async () => {
      for (let round = 0; round < 50; round += 1) {
        const key = `race:${round}`;
        const [routed, adopted] = await Promise.all([
          store.route(key, signal('s')),
          store.register(key, 'one'),
        ]);
        expect((routed?.length ?? 0) + adopted.length).toBe(1);
      }
    });
  });

  describe('lists', () => {
    beforeEach(async () => {
      for (let n = 0; n < 30; n += 1) {
        const add = ['all', ...(n % 2 === 0 ? ['even'] : []), ...(n % 3 === 0 ? ['third'] : [])];
        // Three of a score, so that the id decides.
        await store.commit(
          commitOf(`i${String(n).padStart(2, '0')}`, 0, { indexes: { score: Math.floor(n / 3), add } }),
        );
      }
    });

    it('are newest first and stay whole over pages', async () => {
      const seen: string[] = [];
      let before: ListedInstance | null = null;
      do {
        const page: ListPage = await store.list({ anyOf: [['all']], limit: 7, before });
        seen.push(...page.items.map(({ id }) => id));
        before = page.next;
      } while (before !== null);

      expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => `i${String(29 - n).padStart(2, '0')}`));
    });

    it('hold a page still while instances come and go', async () => {
      const first = await store.list({ anyOf: [['all']], limit: 10, before: null });
      await store.commit(commitOf('new', 0, { indexes: { score: 99, add: ['all'] } }));
      // The last of the page too: its place stays what it was.
      for (const gone of ['i25', 'i20'])
        await store.commit(commitOf(gone, 1, { indexes: { drop: ['all'] } }));

      const second = await store.list({ anyOf: [['all']], limit: 10, before: first.next });

      expect(second.items.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, n) => `i${19 - n}`));
    });

    it('hold what stands in all indexes of a group, down to a score', async () => {
      const query = { anyOf: [['all', 'even', 'third']], limit: 3, before: { score: 8, id: 'zz' } };

      expect((await store.list(query)).items).toEqual([
        { id: 'i24', score: 8 },
        { id: 'i18', score: 6 },
        { id: 'i12', score: 4 },
      ]);
      expect((await store.list({ ...query, since: 6 })).items).toHaveLength(2);
      expect(await store.list({ anyOf: [['all', 'none']], limit: 3, before: null })).toEqual({
        items: [],
        next: null,
      });
      expect([await store.count('all'), await store.count('even'), await store.count('none')]).toEqual([
        30, 15, 0,
      ]);
    });

    it('hold what stands in any group, once and in order', async () => {
      for (const [n, name] of ['x', 'y', 'x', 'y', 'x'].entries())
        await store.commit(commitOf(`g${n}`, 0, { indexes: { score: n, add: [name] } }));

      const { items, next } = await store.list({ anyOf: [['x'], ['y'], ['none']], limit: 4, before: null });

      expect(items.map(({ id }) => id)).toEqual(['g4', 'g3', 'g2', 'g1']);
      expect(next).toEqual({ id: 'g1', score: 1 });
      expect(await store.list({ anyOf: [], limit: 4, before: null })).toEqual({ items: [], next: null });
    });

    it.each([
      [
        'of two that only the oldest stand in both of',
        (n: number) => (n % 2 === 0 || n < 40 ? ['a'] : ['b']),
      ],
      ['of two one older than the other', (n: number) => (n < 1_000 ? ['a'] : ['b'])],
      ['of two in which few stand', (n: number) => (n % 997 === 0 ? ['a', 'b'] : [n % 2 === 0 ? 'a' : 'b'])],
    ])('come to the same in the end %s', async (_what, names) => {
      const both = (n: number) => (n < 40 ? ['a', 'b'] : names(n));
      const ids = Array.from({ length: 2_000 }, (_, n) => `s${n}`);
      // Ten of a score.
      await Promise.all(
        ids.map((id, n) =>
          store.commit(commitOf(id, 0, { indexes: { score: Math.floor(n / 10), add: both(n) } })),
        ),
      );
      const wanted = ids.filter((_, n) => both(n).length === 2);
      const seen: ListedInstance[] = [];
      let before: ListedInstance | null = null;
      do {
        const page: ListPage = await store.list({ anyOf: [['a', 'b']], limit: 7, before });
        seen.push(...page.items);
        before = page.next;
      } while (before !== null);

      expect(seen.map(({ id }) => id).sort()).toEqual(wanted.sort());
      expect(seen).toEqual(seen.toSorted((a, b) => (isOlder(a, b) ? 1 : -1)));
    });
  });

  describe('definitions', () => {
    it('are known in the shape recorded last', async () => {
      expect(await store.definitions()).toEqual([]);
      await store.recordDefinitions([]);
      await store.recordDefinitions([
        ['a@1', 'old'],
        ['b@1', 'b'],
      ]);
      await store.recordDefinitions([['a@1', 'new']]);

      expect([...(await store.definitions())].toSorted()).toEqual([
        ['a@1', 'new'],
        ['b@1', 'b'],
      ]);
    });
  });

  describe('queues', () => {
    it('stay paused until they are resumed', async () => {
      await store.pauseQueue({ queue: 'graph', code: 'sign-in', reason: 'broken' });
      expect(await store.pausedQueues()).toMatchObject([
        { queue: 'graph', code: 'sign-in', reason: 'broken' },
      ]);

      await store.resumeQueue('graph');
      expect(await store.pausedQueues()).toEqual([]);
    });

    it('tell listeners which shard has work', async () => {
      const heard: number[] = [];
      const stop = await store.onWake((shard) => void heard.push(shard));

      await store.commit(commitOf('quiet', 0));
      await store.commit(commitOf('loud', 0, { wake: true }));
      await eventually(() => expect(heard).toEqual([store.shardOf('loud')]));
      await stop();

      await store.commit(commitOf('loud', 1, { wake: true }));
      expect(heard).toHaveLength(1);
    });

    it('call one listener for one activity, and another once that is gone', async () => {
      const heard = { a: [] as number[], b: [] as number[] };
      const stopA = await store.onWake((shard) => void heard.a.push(shard));
      const stopB = await store.onWake((shard) => void heard.b.push(shard));
      for (let revision = 0; revision < 20; revision += 1)
        await store.commit(commitOf('loud', revision, { wake: true }));
      await eventually(() => expect(heard.a.length + heard.b.length).toBe(20));

      await stopA();
      const before = heard.b.length;
      expect(Math.max(heard.a.length, before)).toBeLessThan(20);
      await eventually(async () => {
        const { revision = 0 } = (await store.load('loud')) ?? {};
        await store.commit(commitOf('loud', revision, { wake: true }));
        expect(heard.b.length).toBeGreaterThan(before);
      });
      await stopB();
    });
  });
});
