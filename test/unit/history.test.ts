/** History lines at rest: nothing of an entry is lost in its tuple, and no line is changed, removed or moved unnoticed. */
import { describe, expect, it } from '@jest/globals';
import { GENESIS, type HistoryEntry, readEntry, verifyChain, writeEntry } from '../../engine/history.ts';
import type { InstanceRecord, TimerState } from '../../engine/record.ts';
import { readRecord, writeBody, writeContext } from '../../engine/stored.ts';

const NOW = 1_795_453_406_802;
const entryOf = (part: Partial<HistoryEntry>): HistoryEntry => ({
  revision: 1,
  at: NOW,
  event: { kind: 'timer.fired', token: '1-0' },
  ...part,
});
const failure = { kind: 'retryable', code: 'busy', message: 'later' } as const;

const ENTRIES: readonly (readonly [string, Partial<HistoryEntry>])[] = [
  ['nothing but an event', {}],
  [
    'a start',
    { event: { kind: 'start', definition: 'a@1', input: { n: 1 } }, state: 's', status: 'running' },
  ],
  [
    'a start with all it can have',
    {
      event: {
        ...{ kind: 'start', definition: 'a@1', input: [], labels: { a: 'b' }, idempotencyHash: 'h' },
        parent: { instanceId: 'p', token: '1-0', actorId: 'c' },
      },
    },
  ],
  ['a start without input', { event: { kind: 'start', definition: 'a@1', input: undefined } }],
  ['a start with null for input', { event: { kind: 'start', definition: 'a@1', input: null } }],
  ['a signal', { event: { kind: 'signal', id: 'x', event: { type: 'go', why: null } }, outcome: 'applied' }],
  ['an answer', { event: { kind: 'activity.done', token: '1-0', attempt: 2, output: [1, null] } }],
  [
    'an answer with a secret',
    {
      event: { kind: 'activity.done', token: '1-0', attempt: 2, output: undefined, secrets: ['password'] },
    },
  ],
  [
    'an answer beyond JSON',
    {
      event: { kind: 'activity.done', token: '1-0', attempt: 1, output: { at: new Date(5), no: undefined } },
    },
  ],
  ['a failure', { event: { kind: 'activity.failed', token: '1-0', attempt: 1, failure, jitter: 0.5 } }],
  ['a loss', { event: { kind: 'activity.lost', token: '1-0', attempt: 1, why: 'gone', jitter: 0 } }],
  ['a child’s word', { event: { kind: 'child.message', token: '1-0', seq: 1, event: { type: 'hi' } } }],
  ['a child’s end', { event: { kind: 'child.done', token: '1-0', seq: 2, output: { ok: true } } }],
  ['a parent’s word', { event: { kind: 'parent.message', seq: 3, event: { type: 'hi' } } }],
  ['a peer’s word', { event: { kind: 'peer.message', from: 'i', seq: 4, event: { type: 'hi' } } }],
  ['a kind without a layout', { event: { kind: 'edit-context', changes: { done: ['done'] } } }],
  ['parallel states', { state: { a: 'b', c: { d: 'e' } }, effects: [] }],
  [
    'effects of all sorts',
    {
      effects: [
        { type: 'activity-scheduled', token: '1-0', actorId: 'a', activity: 'b' },
        { type: 'activity-retried', token: '1-0', attempt: 2, at: NOW },
        { type: 'activity-canceled', token: '1-0' },
        { type: 'timer-cleared', token: '1-1' },
        { type: 'child-started', token: '1-3', actorId: 'a', instanceId: 'i' },
        { type: 'child-stopped', token: '1-3' },
        { type: 'sent', to: 'i', event: 'e' },
        { type: 'timer-set', token: '1-1', fireAt: NOW },
        { type: 'timer-set', token: '1-2', id: 'xstate.after.5.m', fireAt: NOW },
        { type: 'ran', action: 'a' },
      ],
    },
  ],
  ['what JSON loses, logged', { effects: [{ type: 'logged', value: new Map([[1, 2]]), label: 'l' }] }],
  [
    'what JSON loses, given to an action',
    { effects: [{ type: 'ran', action: 'a', params: { n: Number.NaN } }] },
  ],
  ['what JSON loses, emitted', { effects: [{ type: 'emitted', event: { type: 'e', at: new Date(7) } }] }],
  ['who and why', { by: { kind: 'person', id: 'ann' }, reason: 'because', outcome: 'applied' }],
];

describe('a history line', () => {
  it.each(ENTRIES)('keeps %s', (_what, part) => {
    const entry = entryOf({ revision: 12, ...part });
    const { line } = writeEntry('before', entry);

    const read = readEntry(line).entry;

    expect(read).toEqual(entry);
    expect(writeEntry('before', read).line).toBe(line);
  });

  it('takes no more than 80 characters for a step of a chain', () => {
    const { line } = writeEntry(
      GENESIS,
      entryOf({
        ...{
          revision: 2,
          state: 's1',
          event: { kind: 'activity.done', token: '1-0', attempt: 1, output: 1 },
        },
        effects: [{ type: 'activity-scheduled', token: '2-0', actorId: 'step', activity: 'noop' }],
      }),
    );

    expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('the chain', () => {
  const lines: string[] = [];
  let head = GENESIS;
  for (let revision = 1; revision <= 5; revision += 1) {
    const made = writeEntry(
      head,
      entryOf({ revision, event: { kind: 'timer.fired', token: `${revision}-0` } }),
    );
    lines.push(made.line);
    head = made.hash;
  }

  it('has the whole SHA-256 for its head', () => {
    expect(Buffer.from(head, 'base64url')).toHaveLength(32);
    expect(verifyChain(lines, head)).toEqual({ intact: true, head });
  });

  it.each([
    ['an entry changed', lines.with(2, (lines[2] ?? '').replace('3-0', '9-0')), 2],
    ['a revision changed', lines.with(2, (lines[2] ?? '').replace(/^3/, '7')), 2],
    ['an entry removed', lines.toSpliced(1, 1), 1],
    ['two entries exchanged', lines.with(1, lines[2] ?? '').with(2, lines[1] ?? ''), 1],
    ['the newest entry removed', lines.slice(0, -1), 4],
    ['a line that is none', lines.with(0, 'nonsense'), 0],
  ])('shows %s', (_what, changed, brokenAt) => {
    expect(verifyChain(changed, head)).toEqual({ intact: false, brokenAt });
  });

  it('shows by its head a history rewritten with every mark right', () => {
    let previous = GENESIS;
    const forged = lines.map((line) => {
      const { entry } = readEntry(line);
      const made = writeEntry(previous, entry.revision === 3 ? { ...entry, reason: 'forged' } : entry);
      previous = made.hash;
      return made.line;
    });

    expect(verifyChain(forged).intact).toBe(true);
    expect(verifyChain(forged, head)).toEqual({ intact: false, brokenAt: 5 });
  });
});

describe('a record at rest', () => {
  const record: InstanceRecord = {
    ...{ id: 'one', definition: 'a@1', revision: 3, status: 'running', subject: null, idempotencyHash: null },
    ...{
      createdAt: NOW,
      updatedAt: NOW + 2,
      stateSince: NOW + 2,
      parent: null,
      attention: null,

      head: 'h',
    },
    ...{ entered: {}, peers: {}, activities: {}, timers: {}, children: {}, labels: {} },
    ...{ inbox: [], quarantine: [], keys: [], machine: { status: 'active', value: 's', context: { a: 1 } } },
  };
  const back = (kept: InstanceRecord): InstanceRecord =>
    readRecord({ revision: 3, body: writeBody(kept), context: writeContext(kept.machine.context) });
  const timer: TimerState = { id: 't', fireAt: NOW, purpose: 'machine', event: { type: 't' } };

  it.each<[string, Partial<InstanceRecord>]>([
    ['with nothing out of the ordinary', {}],
    ['that is over', { status: 'failed', machine: { status: 'error', value: 's', context: 1, error: 'e' } }],
    ['that stays in its state', { stateSince: NOW }],
    [
      'with actors and children',
      {
        machine: { status: 'active', value: 's', context: null, children: { a: { src: 'b' } } },
        children: { '1-0': { actorId: 'a', src: 'b', instanceId: 'i', sent: 1, received: 2 } },
      },
    ],
    [
      'with timers of all sorts',
      {
        timers: {
          '1-0': timer,
          '1-1': { ...timer, orphan: true },
          '1-2': { ...timer, to: { id: 'x', address: null } },
          '1-3': { ...timer, event: { type: 't', more: 1 } },
          '1-4': { ...timer, event: { type: 'other' } },
          '1-5': { ...timer, event: { type: 't', when: new Date(3) } },
          '1-6': { fireAt: NOW, purpose: 'machine', event: { type: 't' } },
          '1-7': { fireAt: NOW, purpose: 'retry', activity: '1-9' },
        },
      },
    ],
  ])('comes back as it was: one %s', (_what, part) => {
    expect(back({ ...record, ...part })).toEqual({ ...record, ...part });
  });
});
