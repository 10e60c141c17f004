/** What a fork takes over from the past of another instance, and what it must not share with it. */
import { describe, expect, it } from '@jest/globals';
import { forkOf } from '../../engine/fork.ts';
import { GENESIS } from '../../engine/history.ts';
import type { ActivityState, ChildState, InstanceRecord, TimerState } from '../../engine/record.ts';

const THEN = 1_000;
const NOW = 5_000;
const DEFINITION = 'w@1';

const activity: ActivityState = {
  ...{ actorId: 'act', src: 'act', queue: 'q', attempt: 4, phase: 'attention', answers: 2 },
  ...{ unverified: false, budgetFrom: 1, input: null },
  lastFailure: { kind: 'terminal', code: 'no', message: 'no', at: 1 },
};
const child = (instanceId: string, actorId = 'kid'): ChildState => ({
  ...{ actorId, src: 'kid', instanceId, sent: 3, received: 4 },
});
const timer = (more: Partial<TimerState> = {}): TimerState => ({
  ...{ id: 't', fireAt: THEN + 300, purpose: 'machine', event: { type: 'ring' }, ...more },
});
const ref = (address: string | null) => ({ $actor: 'kid', address });

function pastOf(more: Partial<InstanceRecord> = {}): InstanceRecord {
  return {
    ...{ id: 'one', definition: DEFINITION, revision: 7, status: 'paused', createdAt: 1, updatedAt: THEN },
    ...{ stateSince: 2, entered: { 'w.a': 3 }, quarantine: [], labels: { a: 'b' }, subject: 'who' },
    machine: { status: 'active', value: 'a', context: {} },
    parent: { instanceId: 'p', token: '1-0', actorId: 'x', sent: 1, received: 1 },
    ...{ peers: { p: { sent: 1, received: 2 } }, activities: {}, timers: {}, children: {}, inbox: [] },
    attention: { code: 'poison-event', message: 'm', at: 1 },
    ...{ keys: ['tenant:1'], idempotencyHash: 'h', head: 'head', ...more },
  };
}
const fork = (past: InstanceRecord, children: Parameters<typeof forkOf>[1]['children'] = []) =>
  forkOf(
    'two',
    { kind: 'fork', definition: DEFINITION, from: { instanceId: 'one', revision: 7 }, past, children },
    NOW,
  );

describe('a fork', () => {
  it('has what the past was, and nothing that belongs to the other instance', () => {
    const { record, dispatch, messages } = fork(pastOf());

    expect(record).toEqual({
      ...pastOf(),
      ...{ id: 'two', revision: 0, status: 'running', createdAt: NOW, updatedAt: NOW, stateSince: NOW },
      ...{ parent: null, peers: {}, keys: [], attention: null, idempotencyHash: null, head: GENESIS },
    });
    expect([dispatch, messages]).toEqual([[], []]);
  });

  it('mints its tokens in the order of their age, which is no order of letters', () => {
    const { record } = fork(
      pastOf({
        activities: { '10-0': activity, '9-1': activity },
        timers: { '9-12': timer(), '9-2': timer() },
        children: { '2-0': child('one.2-0') },
      }),
    );

    expect(Object.keys(record.children)).toEqual(['0-0']);
    expect(Object.keys(record.activities)).toEqual(['0-4', '0-1']);
    expect(Object.keys(record.timers)).toEqual(['0-3', '0-2']);
  });

  it('tries an open activity anew, looking first whether it was done, with all of its attempts', () => {
    const { record, dispatch } = fork(pastOf({ activities: { '3-0': activity } }));

    const { lastFailure: _, ...kept } = activity;
    expect(record.activities).toEqual({
      '0-0': { ...kept, phase: 'open', unverified: true, attempt: 4, budgetFrom: 4 },
    });
    expect(dispatch).toEqual(['0-0']);
  });

  it('gives timers as long to go as they had, and has none of a retry', () => {
    const { record } = fork(
      pastOf({
        activities: { '1-0': activity },
        timers: { '2-0': timer(), '3-0': timer({ purpose: 'retry', activity: '1-0' }) },
      }),
    );

    expect(record.timers).toEqual({ '0-1': timer({ fireAt: NOW + 300 }) });
  });

  it('begins children anew below itself, under the loss its past knew of', () => {
    const started = [{ token: '2-0', definition: 'w@1/kid', input: { boss: ref('one') } }] as never;
    const past = pastOf({ children: { '2-0': child('one.2-0'), '5-0': child('one.5-0', 'late') } });

    const { record, messages } = fork(past, started);
    const rewound = { since: 1, at: 2 };
    const doubtful = fork({ ...past, rewound }, started);

    expect(record.children['0-0']).toEqual({ ...child('two.0-0'), sent: 0, received: 0 });
    const body = {
      kind: 'start',
      definition: 'w@1/kid',
      input: { boss: ref('two') },
      actorId: 'kid',
      token: '0-0',
    };
    expect(messages).toStrictEqual([{ to: 'two.0-0', body }]);
    expect(doubtful.messages).toStrictEqual([{ to: 'two.0-0', body: { ...body, rewound } }]);
  });

  it('refers to itself and its own children wherever a value refers to the other and its', () => {
    const refs = (root: string, token: string) => ({
      self: ref(root),
      kids: [ref(`${root}.${token}`), { deeper: ref(`${root}.${token}.4-1`) }],
      strangers: [ref('oneself'), ref('p'), ref(null)],
      gone: ref(`${root}.9-9`),
    });
    const timers = {
      '3-0': timer({ event: { type: 'ring', who: ref('one.2-0') }, to: { id: 'kid', address: 'one.2-0' } }),
      '3-1': timer({ to: { id: 'kid', address: null } }),
    };
    const { record } = fork(
      pastOf({
        machine: { status: 'active', value: 'a', context: refs('one', '2-0') },
        activities: { '1-0': { ...activity, input: refs('one', '2-0') } },
        children: { '2-0': child('one.2-0') },
        timers,
        inbox: [{ signalId: 's', event: { type: 'x', ...refs('one', '2-0') }, at: 1 }],
      }),
    );

    const moved = refs('two', '0-1');
    expect(record.machine.context).toEqual(moved);
    expect(record.activities['0-0']?.input).toEqual(moved);
    expect(record.inbox[0]?.event).toEqual({ type: 'x', ...moved });
    expect(record.timers['0-2']).toMatchObject({
      event: { type: 'ring', who: ref('two.0-1') },
      to: { id: 'kid', address: 'two.0-1' },
    });
    expect(record.timers['0-3']?.to).toEqual({ id: 'kid', address: null });
  });

  it('does not hear what a child had said that begins anew, and says it again', () => {
    const said = (n: number) => ({ signalId: null, event: { type: 'told', n }, at: 1 });
    const inbox = [{ ...said(1), from: '2-0' }, { ...said(2), from: '1-0' }, said(3)];
    const { record } = fork(pastOf({ children: { '2-0': child('one.2-0') }, inbox }));

    expect(record.inbox).toEqual(inbox.slice(1));
  });

  it('leaves data alone that only looks like an address, and what is no plain data', () => {
    const context = {
      address: 'one',
      mail: { address: 'one.example', name: 'One' },
      places: [{ address: 'one.2-0' }],
      since: new Date(5),
      none: null,
    };
    const timers = { '2-0': timer({ event: { type: 'send', address: 'one.example' } }) };

    const { record } = fork(pastOf({ machine: { status: 'active', value: 'a', context }, timers }));

    expect(record.machine.context).toEqual(context);
    expect(record.timers['0-0']?.event).toEqual({ type: 'send', address: 'one.example' });
  });
});
