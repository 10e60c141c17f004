/** What carries a commit's outbox out: in order for each receiver, acknowledged once it arrived, never before. */
import { describe, expect, it } from '@jest/globals';
import { encode } from '../../engine/codec.ts';
import { createRelay } from '../../engine/relay.ts';
import { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { deferred } from '../support/engine-house.ts';
import { virtualTime } from '../support/virtual-time.ts';

const settle = () => virtualTime().pass(0);
const message = (name: string, to: string, body: object) => ({
  delayMs: 0,
  id: `m|sender|${name}`,
  body: encode({ to, body }),
});
const key = (name: string, change: string) => ({
  id: `k|sender|${name}`,
  body: encode({ key: `key:${name}`, instanceId: 'sender', change }),
});
const said = (n: number) => ({ kind: 'child.message', token: 't', seq: n, event: { type: 'x' } });
const start = { kind: 'start', definition: 'w@1/kid', input: 7, actorId: 'kid', token: '1-0' };

type Deliver = (to: string, envelope: { event: { kind: string } }) => Promise<string>;

function relaying(deliver: Deliver = async () => 'applied', parked: readonly object[] = []) {
  const did: unknown[][] = [];
  const broken = new Set<string>();
  const note =
    (what: string) =>
    async (...about: unknown[]): Promise<void> => {
      did.push([what, ...about]);
      await Promise.resolve();
      if (broken.has(what)) throw new Error('away');
    };
  const relay = createRelay({
    store: {
      shardOf: (id: string) => id.length,
      ackOutbox: note('ack'),
      releaseOutbox: note('release'),
      unregister: note('unregister'),
      async register(...about: unknown[]) {
        did.push(['register', ...about]);
        return parked;
      },
      unpark: note('unpark'),
    } as never,
    log: silentLogger(),
    dispatch: note('dispatch'),
    async deliver(to, envelope) {
      did.push(['deliver', to, envelope]);
      return { reply: { status: await deliver(to, envelope) } } as never;
    },
  });
  const told = (what: string) => did.filter(([one]) => one === what);
  return { relay, did, told, broken };
}
const ack = (name: string, kind = 'm') => ['ack', 'sender'.length, [`${kind}|sender|${name}`]];
const refused = (
  code:
    | 'instance-unknown'
    | 'value-not-durable'
    | 'machine-not-durable'
    | 'store-unavailable'
    | 'workflow-version-missing',
) => {
  return () => Promise.reject(new AppError(code, 'no'));
};

describe('the relay', () => {
  it('shows what needs newer workflows again soon, for a process that has them, and nothing else', async () => {
    const lacking = relaying(refused('workflow-version-missing'));
    lacking.broken.add('release');
    await lacking.relay.carry([message('1', 'peer', said(1))]);
    const away = relaying(refused('store-unavailable'));
    await away.relay.carry([message('1', 'peer', said(1))]);

    expect(lacking.told('release')).toEqual([['release', 'sender'.length, 'm|sender|1', 500]]);
    expect([...lacking.told('ack'), ...away.told('release')]).toEqual([]);
  });

  it('hands activities to workers all at once, and delivers the rest', async () => {
    const { relay, did } = relaying();
    await relay.carry([
      { id: 'a|i|1-0|q', body: null },
      message('1', 'peer', said(1)),
      { id: 'a|i|1-1|q', body: null },
    ]);

    const tickets = ['1-0', '1-1'].map((token) => ({
      ...{ instanceId: 'i', token, queue: 'q', outboxId: `a|i|${token}|q` },
    }));
    expect(did).toEqual([['dispatch', tickets], ['deliver', 'peer', { event: said(1) }], ack('1')]);
  });

  it('dispatches nothing where there is no activity, and calls a malformed one what it is', async () => {
    const { relay, told } = relaying();
    await relay.carry([message('1', 'peer', said(1))]);
    expect(told('dispatch')).toEqual([]);

    await expect(relay.carry([{ id: 'a|i|1-0', body: null }])).rejects.toMatchObject({ code: 'internal' });
  });

  it('tells whoever asked, and nobody else, of an entry that cannot be read; the others are carried', async () => {
    const { relay, told } = relaying();
    const unheard: unknown[] = [];
    const hear = (error: unknown) => void unheard.push(error);
    process.on('unhandledRejection', hear);
    try {
      await expect(
        relay.carry([{ id: 'm|sender|1', body: '{' }, message('2', 'peer', said(1))]),
      ).rejects.toThrow();
      relay.push([{ ...message('3', 'peer', said(1)), body: '{' }]);
      await settle();
      await relay.settled();
    } finally {
      process.off('unhandledRejection', hear);
    }

    expect(unheard).toEqual([]);
    expect(told('ack')).toEqual([ack('2')]);
  });

  it('keeps the order of one receiver’s messages, and holds up no other', async () => {
    const first = deferred();
    const { relay, told } = relaying(async (to, { event }) => {
      if (to === 'slow' && (event as { seq?: number }).seq === 1) await first.promise;
      return 'applied';
    });
    relay.push([message('1', 'slow', said(1)), message('2', 'slow', said(2))]);
    relay.push([message('3', 'slow', said(3)), message('4', 'other', said(1))]);
    await settle();
    expect(told('deliver').map(([, to]) => to)).toEqual(['slow', 'other']);

    first.resolve();
    await relay.settled();

    expect(told('deliver').map(([, , envelope]) => envelope)).toEqual(
      [said(1), said(1), said(2), said(3)].map((event) => ({ event })),
    );
    expect(told('ack')).toEqual(['4', '1', '2', '3'].map((name) => ack(name)));
  });

  it('acknowledges nothing before it has arrived, and carries on after a failure', async () => {
    const { relay, did, told } = relaying(async (to) => {
      if (to === 'broken') throw new Error('away');
      return to === 'early' ? 'early' : 'applied';
    });
    await relay.carry([
      message('1', 'broken', said(1)),
      message('2', 'broken', said(2)),
      message('3', 'early', said(1)),
    ]);

    expect(told('deliver')).toHaveLength(3);
    expect(did).toHaveLength(3);
  });

  it('is settled only when all it began is carried and acknowledged', async () => {
    const hold = deferred();
    const { relay, told } = relaying(async () => {
      await hold.promise;
      return 'applied';
    });
    relay.push([]);
    await relay.settled();
    relay.push([message('1', 'peer', said(1))]);
    let settled = false;
    const settling = relay.settled().then(() => {
      settled = true;
    });
    await settle();
    expect(settled).toBe(false);

    hold.resolve();
    await settling;
    expect(told('ack')).toHaveLength(1);
  });

  it('takes a receiver that is gone for served, unless a parent speaks to a child that is yet to come', async () => {
    const gone = relaying(refused('instance-unknown'));
    await gone.relay.carry([message('1', 'peer', said(1))]);
    expect(gone.told('ack')).toEqual([ack('1')]);

    for (const kind of ['parent.message', 'parent.stop']) {
      const { relay, told } = relaying(refused('instance-unknown'));
      await relay.carry([message('1', 'sender.1-0', { ...said(1), kind })]);
      expect(told('ack')).toEqual([]);
    }
    const away = relaying(refused('store-unavailable'));
    await away.relay.carry([message('1', 'peer', said(1))]);
    expect(away.told('ack')).toEqual([]);
  });

  it('starts a child with what its parent is to it, and hands the loss down', async () => {
    const { relay, told } = relaying();
    const rewound = { since: 1, at: 2 };
    await relay.carry([message('1', 'c1', start), message('2', 'c2', { ...start, rewound })]);

    const event = {
      ...{ kind: 'start', definition: 'w@1/kid', input: 7 },
      parent: { instanceId: 'sender', token: '1-0', actorId: 'kid' },
    };
    expect(told('deliver')).toStrictEqual([
      ['deliver', 'c1', { event }],
      ['deliver', 'c2', { event: { ...event, rewound } }],
    ]);
  });

  it.each(['value-not-durable', 'machine-not-durable'] as const)(
    'tells the parent of a child that can never begin (%s)',
    async (code) => {
      const { relay, told } = relaying(async (to) => (to === 'sender' ? 'applied' : refused(code)()));
      await relay.carry([message('1', 'sender.1-0', start)]);

      const error = { name: 'AppError', message: 'no', code };
      expect(told('deliver')[1]).toEqual([
        'deliver',
        'sender',
        { event: { kind: 'child.failed', token: '1-0', seq: 1, error: expect.objectContaining(error) } },
      ]);
      expect(told('ack')).toEqual([ack('1')]);
    },
  );

  it('brings a child that cannot begin just now again, and tells nobody that it failed', async () => {
    const { relay, told } = relaying(refused('store-unavailable'));
    await relay.carry([message('1', 'sender.1-0', start)]);

    expect([told('deliver').length, told('ack')]).toEqual([1, []]);
  });

  it('gives what waited for a key to its instance, and leaves unmatched what that cannot use', async () => {
    const parked = ['taken', 'refused'].map((signalId) => ({
      ...{ key: 'key:1', signalId, at: 1 },
      body: encode({
        event: { type: signalId },
        ...(signalId === 'taken' && { by: { kind: 'api' }, reason: 'r' }),
      }),
    }));
    const { relay, did } = relaying(
      async (_, { event }) => ((event as { id?: string }).id === 'refused' ? 'rejected' : 'applied'),
      parked,
    );
    await relay.carry([key('1', 'register')]);

    expect(did).toStrictEqual([
      ['register', 'key:1', 'sender'],
      [
        'deliver',
        'sender',
        {
          event: { kind: 'signal', id: 'taken', event: { type: 'taken' } },
          by: { kind: 'api' },
          reason: 'r',
        },
      ],
      ['unpark', 'key:1', 'taken'],
      ['deliver', 'sender', { event: { kind: 'signal', id: 'refused', event: { type: 'refused' } } }],
      ack('1', 'k'),
    ]);
  });

  it('acknowledges nothing whose deed was refused half way', async () => {
    const childless = relaying((to) =>
      refused(to === 'sender' ? 'store-unavailable' : 'value-not-durable')(),
    );
    await childless.relay.carry([message('1', 'sender.1-0', start)]);
    expect([childless.told('deliver').length, childless.told('ack')]).toEqual([2, []]);

    const parked = [{ key: 'key:1', signalId: 's', body: encode({ event: { type: 'x' } }), at: 1 }];
    for (const change of ['register', 'unregister']) {
      const { relay, told, broken } = relaying(undefined, parked);
      broken.add(change === 'register' ? 'unpark' : 'unregister');
      await relay.carry([key('1', change)]);
      expect(told('ack')).toEqual([]);
    }
    // Only of a start can it be said that nothing will ever come of it.
    const speech = relaying(refused('value-not-durable'));
    await speech.relay.carry([message('1', 'peer', said(1))]);
    expect([speech.told('deliver').length, speech.told('ack')]).toEqual([1, []]);
  });

  it('gives a key up', async () => {
    const { relay, did } = relaying();
    await relay.carry([key('1', 'unregister')]);

    expect(did).toEqual([['unregister', 'key:1', 'sender'], ack('1', 'k')]);
  });
});
