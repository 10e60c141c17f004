/** A new instance made of another one's past. Pure. */
import { readdressRefs } from './actor-refs.ts';
import type { EngineEvent, ForkedChild, MachineEvent } from './event.ts';
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
 * outcome unknown until its `verify` has looked; children begin anew, under the fork, so what they had said and still
 * waited to be heard is theirs to say again.
 */
export function forkOf(id: string, { past, children: started }: ForkEvent, now: number): Forked {
  const tokens = newTokens(past);
  const token = (old: string): string => tokens.get(old) ?? old;
  const moved = mover(past.id, id, token);
  const address = (value: unknown): unknown => readdressRefs(value, moved);
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
    timers: mapKeys(Object.fromEntries(timers), token, (timer): TimerState => {
      const { event, to, fireAt } = timer;
      return {
        ...timer,
        fireAt: fireAt + passed,
        ...(event === undefined ? {} : { event: address(event) as MachineEvent }),
        ...(to?.address ? { to: { ...to, address: moved(to.address) } } : {}),
      };
    }),
    inbox: address(
      past.inbox.filter(({ from }) => !(from && from in past.children)),
    ) as InstanceRecord['inbox'],
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

/** What an address of the old instance, or of one below it, is in the new tree; any other stays. */
function mover(from: string, to: string, token: (old: string) => string): (address: string) => string {
  return (address) => {
    if (address === from) return to;
    if (!address.startsWith(`${from}.`)) return address;
    const [first = '', ...below] = address.slice(from.length + 1).split('.');
    return [to, token(first), ...below].join('.');
  };
}
