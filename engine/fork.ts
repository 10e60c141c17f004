/** A new instance made of another one's past. Pure. */
import type { EngineEvent, ForkedChild } from './event.ts';
import { GENESIS } from './history.ts';
import type { ActivityState, ChildState, InstanceRecord, TimerState } from './record.ts';
import type { Message } from './turn.ts';

type ForkEvent = Extract<EngineEvent, { kind: 'fork' }>;

export interface Forked {
  readonly record: InstanceRecord;
  readonly dispatch: readonly string[];
  readonly messages: readonly Message[];
}

/**
 * The record as it was, under another id. Tokens are minted anew (those of the past would meet again when the fork's own
 * revisions reach them); timers have as long to go as they had; an activity that was open then is open again, its
 * outcome unknown until its `verify` has looked; children begin anew, under the fork.
 */
export function forkOf(id: string, { past, children: started }: ForkEvent, now: number): Forked {
  const tokens = newTokens(past);
  const token = (old: string): string => tokens.get(old) ?? old;
  const address = readdress(past.id, id, token);
  const passed = now - past.updatedAt;
  const timers = Object.entries(past.timers).filter(([, { purpose }]) => purpose === 'machine');
  const activities = mapKeys(past.activities, token, (activity): ActivityState => {
    const { lastFailure: _failure, ...kept } = activity;
    return {
      ...kept,
      input: address(activity.input),
      phase: 'open',
      unverified: true,
      budgetFrom: activity.attempt,
    };
  });
  const children = mapKeys(past.children, token, (child, old): ChildState => {
    return { ...child, instanceId: `${id}.${token(old)}`, sent: 0, received: 0 };
  });
  const record: InstanceRecord = {
    ...past,
    ...{ id, revision: 0, status: 'running', createdAt: now, updatedAt: now, stateSince: now },
    ...{ parent: null, peers: {}, keys: [], attention: null, idempotencyHash: null, head: GENESIS },
    machine: { ...past.machine, context: address(past.machine.context) },
    activities,
    children,
    timers: mapKeys(
      Object.fromEntries(timers),
      token,
      (timer): TimerState => ({ ...(address(timer) as TimerState), fireAt: timer.fireAt + passed }),
    ),
    inbox: address(past.inbox) as InstanceRecord['inbox'],
  };
  const messages = started.map((child) => beginAnew(id, token(child.token), child, past, address));
  return { record, dispatch: Object.keys(activities), messages };
}

function beginAnew(
  id: string,
  token: string,
  child: ForkedChild,
  past: InstanceRecord,
  address: (value: unknown) => unknown,
): Message {
  const actorId = past.children[child.token]?.actorId ?? '';
  const { definition, input } = child;
  const { rewound } = past;
  const start = { kind: 'start', definition, input: address(input), actorId, token } as const;
  return { to: `${id}.${token}`, body: { ...start, ...(rewound && { rewound }) } };
}

/** Of revision 0, which no commit of its own ever mints; in the order of their age, which decides ties of timers. */
function newTokens(past: InstanceRecord): ReadonlyMap<string, string> {
  const old = [past.activities, past.timers, past.children].flatMap((live) => Object.keys(live));
  const age = (token: string): number => {
    const [revision = 0, place = 0] = token.split('-').map(Number);
    return revision * 2 ** 20 + place;
  };
  return new Map(old.toSorted((a, b) => age(a) - age(b)).map((token, index) => [token, `0-${index}`]));
}

function mapKeys<Value, Made>(
  values: Readonly<Record<string, Value>>,
  key: (old: string) => string,
  make: (value: Value, old: string) => Made,
): Readonly<Record<string, Made>> {
  return Object.fromEntries(Object.entries(values).map(([old, value]) => [key(old), make(value, old)]));
}

/** Addresses of the old instance and its children, wherever a value holds one, become those of the new. */
function readdress(from: string, to: string, token: (old: string) => string) {
  const moved = (address: string): string => {
    if (address === from) return to;
    if (!address.startsWith(`${from}.`)) return address;
    const [first = '', ...below] = address.slice(from.length + 1).split('.');
    return [to, token(first), ...below].join('.');
  };
  const map = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(map);
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
      return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [
        key,
        key === 'address' && typeof part === 'string' ? moved(part) : map(part),
      ]),
    );
  };
  return map;
}
