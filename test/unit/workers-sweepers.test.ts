/** What falls between two processes is found again: outbox entries nobody carries, claims nobody works on. */
import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { startClaimReaper, startOutboxSweeper } from '../../workers/sweeper.ts';
import { deferred } from '../support/engine-house.ts';
import { virtualTime } from '../support/virtual-time.ts';

const log = silentLogger();
const ticket = (name: string) => ({ id: `a|${name}|1-0|default`, body: null });
const message = (name: string) => ({ id: `m|${name}|1-0`, body: '{}' });
type Entry = { readonly id: string; readonly body: string | null };

describe('the outbox sweeper', () => {
  function sweeping(shards: number) {
    const time = virtualTime();
    const began = time.scheduler.now();
    const did: [number, string, ...unknown[]][] = [];
    const note = (what: string, ...about: unknown[]) =>
      void did.push([time.scheduler.now() - began, what, ...about]);
    /** What the next looks find, by shard. */
    const due = new Map<number, (readonly Entry[])[]>();
    const fresh = new Map<number, { readonly left: readonly Entry[]; readonly more: boolean }[]>();
    const carried = { until: { ...deferred(), promise: Promise.resolve() } };
    const send = (how: string) => async (tickets: readonly { readonly instanceId: string }[]) =>
      note(how, tickets.map(({ instanceId }) => instanceId).join());
    const store = {
      shards,
      async dueOutbox(shard: number, limit: number, hideMs: number) {
        note('look', shard, limit, hideMs);
        return due.get(shard)?.shift() ?? [];
      },
    };
    const relay = {
      carry: async (items: readonly Entry[]) => {
        if (items.length === 0) return;
        note('carry', items.map(({ id }) => id).join());
        await carried.until.promise;
      },
    };
    const activations = {
      async takeDue(shard: number, limit: number, hideMs: number) {
        note('take', shard, limit, hideMs);
        return fresh.get(shard)?.shift() ?? { left: [], more: false };
      },
    };
    const sweeper = startOutboxSweeper(
      { store, relay } as never,
      { dispatch: send('dispatch'), redispatch: send('redispatch'), close: async () => {} },
      activations as never,
      log,
      time.scheduler,
    );
    const timesOf = (what: string) => did.filter(([, one]) => one === what).map(([at]) => at);
    return { time, did, due, fresh, sweeper, timesOf, carried };
  }

  it('looks into every shard four times a second, and carries what it finds: each kind its own way', async () => {
    const { time, did, due } = sweeping(2);
    due.set(0, [[ticket('a'), message('b'), ticket('c')]]);
    due.set(1, [[message('d')]]);
    await time.pass(250);

    expect(did).toEqual([
      [0, 'look', 0, 200, 5_000],
      [0, 'look', 1, 200, 5_000],
      [250, 'look', 0, 200, 5_000],
      [250, 'look', 1, 200, 5_000],
      [250, 'redispatch', 'a,c'],
      [250, 'carry', 'm|b|1-0'],
      [250, 'carry', 'm|d|1-0'],
    ]);
  });

  it('looks again at once where one shard had as many as it asked for', async () => {
    const { time, due, timesOf } = sweeping(2);
    due.set(1, [Array.from({ length: 200 }, (_, n) => message(`m${n}`)), [message('last')]]);
    await time.pass(499);

    expect(timesOf('look')).toEqual([0, 0, 250, 250, 250, 250]);
  });

  it('looks again only when what it found is carried, as long as that takes', async () => {
    for (const found of ['old', 'fresh'] as const) {
      const { time, due, fresh, sweeper, timesOf, carried } = sweeping(1);
      carried.until = deferred();
      if (found === 'old') due.set(0, [[message('a')]]);
      else fresh.set(0, [{ left: [message('a')], more: false }]);
      if (found === 'fresh') sweeper.wake(0);
      await time.pass(2_000);
      const looked = found === 'old' ? [0, 250] : [0];
      expect(timesOf('look')).toEqual(looked);

      carried.until.resolve();
      await time.pass(250);
      expect(timesOf('look')).toEqual([...looked, 2_250]);
    }
  });

  it('takes at once what another process has just committed, in that shard alone, and hands on the rest as fresh', async () => {
    const { time, did, fresh, sweeper, timesOf } = sweeping(3);
    await time.pass(100);
    did.length = 0;
    fresh.set(1, [{ left: [ticket('a'), message('b')], more: false }]);

    sweeper.wake(1);
    await time.pass(0);

    expect(did).toEqual([
      [100, 'take', 1, 200, 5_000],
      [100, 'dispatch', 'a'],
      [100, 'carry', 'm|b|1-0'],
    ]);
    await time.pass(250);
    expect(timesOf('look')).toEqual([350, 350, 350]);
    expect(timesOf('take')).toEqual([100]);
  });

  it('takes on at once where there is more, and no longer than that', async () => {
    const { time, fresh, sweeper, timesOf, did } = sweeping(2);
    await time.pass(10);
    did.length = 0;
    fresh.set(0, [
      { left: [], more: true },
      { left: [], more: true },
      { left: [], more: false },
    ]);
    sweeper.wake(0);
    await time.pass(200);

    expect(timesOf('take')).toEqual([10, 10, 10]);
    expect(timesOf('look')).toEqual([]);
  });
});

describe('the claim reaper', () => {
  const TOKEN = '1-0';
  const claim = (instanceId: string, worker: string) => ({ instanceId, token: TOKEN, worker });

  function reaping(given: {
    readonly claims: () => readonly ReturnType<typeof claim>[];
    readonly owns?: (field: string) => boolean;
    readonly begun?: (field: string, attempt: number) => boolean;
    readonly looks?: () => ReadonlySet<object>;
    readonly open?: (id: string) => Promise<unknown>;
    readonly moved?: readonly string[];
    readonly live?: readonly string[];
  }) {
    const time = virtualTime(0.25);
    const did: unknown[][] = [];
    const looked: string[] = [];
    const record = (id: string) => ({
      record: { id, activities: { [TOKEN]: { attempt: 3, queue: 'q' } } },
    });
    const store = {
      shards: 2,
      async claims(shard: number) {
        looked.push(`claims ${shard}`);
        return shard === 0 ? given.claims() : [];
      },
      async liveWorkers() {
        looked.push('leases');
        return given.live ?? ['me', 'alive'];
      },
      async lostClaims(...asked: unknown[]) {
        did.push(['still held?', ...asked]);
        return given.moved ?? [];
      },
      unclaim: async (...asked: unknown[]) => void did.push(['unclaim', ...asked]),
    };
    const engine = {
      store,
      open: given.open ?? (async (id: string) => record(id)),
      async handle(id: string, { event }: { event: object }) {
        did.push(['handle', id, event]);
        return { reply: { status: 'applied' } };
      },
    };
    startClaimReaper(
      engine as never,
      {
        owns: given.owns ?? (() => false),
        hasBegun: given.begun ?? (() => false),
        looks: given.looks ?? (() => new Set()),
      },
      'me',
      log,
      500,
      time.scheduler,
    );
    return { time, did, looked };
  }
  const lost = (id: string, worker: string) => [
    'handle',
    id,
    { kind: 'activity.lost', token: TOKEN, attempt: 3, why: `worker ${worker} is gone`, jitter: 0.25 },
  ];
  const asked = (id: string, worker: string) => ['still held?', worker, [{ instanceId: id, token: TOKEN }]];

  it('tells what a worker without a lease held that its attempt is lost, and leaves the living alone', async () => {
    const { time, did, looked } = reaping({ claims: () => [claim('a', 'dead'), claim('b', 'alive')] });
    await time.pass(0);

    expect(did).toEqual([asked('a', 'dead'), lost('a', 'dead')]);
    // A worker that begins in between has its lease when it is looked for.
    expect(looked).toEqual(['claims 0', 'claims 1', 'leases']);
    await time.pass(500);
    expect(looked).toHaveLength(6);
  });

  it('does not take its own for orphaned while its lease is in doubt', async () => {
    const { time, did } = reaping({
      claims: () => [claim('a', 'me')],
      owns: () => true,
      live: ['alive'],
    });
    await time.pass(1_000);

    expect(did).toEqual([]);
  });

  it('leaves alone what another has taken back meanwhile', async () => {
    const { time, did } = reaping({ claims: () => [claim('a', 'dead')], moved: [`a|${TOKEN}`] });
    await time.pass(0);

    expect(did).toEqual([asked('a', 'dead')]);
  });

  it.each([
    ['is gone', async () => null],
    ['has moved on', async () => ({ record: { id: 'a', activities: {} } })],
  ])('lets go of a claim whose instance %s', async (_what, open) => {
    const { time, did } = reaping({ claims: () => [claim('a', 'dead')], open });
    await time.pass(0);

    expect(did).toEqual([['unclaim', 'a', TOKEN, 'dead', null]]);
  });

  it('goes on with the others where one cannot be taken back', async () => {
    const codes = ['workflow-version-missing', 'store-unavailable'] as const;
    for (const code of codes) {
      const { time, did } = reaping({
        claims: () => [claim('a', 'dead'), claim('b', 'dead')],
        open: async (id) => {
          if (id === 'a') throw new AppError(code, 'no');
          return { record: { id, activities: { [TOKEN]: { attempt: 3 } } } };
        },
      });
      await time.pass(1_000);

      expect(did.filter(([what]) => what === 'handle')).toEqual([1, 2, 3].map(() => lost('b', 'dead')));
    }
  });

  it('takes back its own that it let go of, at the second look and not before', async () => {
    const { time, did } = reaping({ claims: () => [claim('a', 'me')], begun: (_, attempt) => attempt === 3 });
    await time.pass(499);
    expect(did).toEqual([]);

    await time.pass(1);

    expect(did).toEqual([asked('a', 'me'), lost('a', 'me')]);
  });

  it('leaves its own alone while somebody here works on it, and takes one look anew after that', async () => {
    let owned = false;
    const { time, did } = reaping({
      claims: () => [claim('a', 'me')],
      owns: (field) => field === `a|${TOKEN}` && owned,
      begun: () => true,
    });
    await time.pass(0);
    owned = true;
    await time.pass(500);
    owned = false;
    await time.pass(500);
    expect(did).toEqual([]);

    await time.pass(500);
    expect(did).toEqual([asked('a', 'me'), lost('a', 'me')]);
  });

  it('puts back what it was given and never began, counting no attempt', async () => {
    const { time, did } = reaping({ claims: () => [claim('a', 'me')] });
    await time.pass(500);

    expect(did).toEqual([asked('a', 'me'), ['unclaim', 'a', TOKEN, 'me', `a|a|${TOKEN}|q`]]);
  });

  it('does not put back what is begun here between the look and then', async () => {
    let looks = 0;
    const { time, did } = reaping({
      claims: () => [claim('a', 'me')],
      owns: () => {
        looks += 1;
        return looks > 2;
      },
    });
    await time.pass(500);

    expect(did).toEqual([asked('a', 'me')]);
  });

  it('waits for a look into the outbox that hangs: what it claimed may yet arrive', async () => {
    const [hanging, another] = [{}, {}];
    let looks: ReadonlySet<object> = new Set([hanging]);
    const { time, did } = reaping({ claims: () => [claim('a', 'me')], looks: () => looks });
    await time.pass(500);
    looks = new Set([hanging, another]);
    await time.pass(500);
    expect(did).toEqual([]);

    looks = new Set([{}]);
    await time.pass(500);
    expect(did).toHaveLength(2);
  });
});
