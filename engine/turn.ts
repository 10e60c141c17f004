/**
 * One decision in the making: the record's live parts, the snapshot, and what was asked for so far. A turn's fields are
 * replaced as the decision goes on, the values in them never change: a shallow copy is a save point, so that an event
 * that throws half-way leaves nothing behind.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { AppError } from '../shared/errors.ts';
import { type ActorStandIn, SELF, type Surroundings } from './actor-refs.ts';
import type { Actor, MachineEvent } from './event.ts';
import type { EffectNote } from './history.ts';
import type { MachineAction } from './machine-action.ts';
import type {
  ActivityState,
  Attention,
  ChildState,
  InboxItem,
  InstanceRecord,
  InstanceStatus,
  Quarantined,
  Rewound,
  TimerState,
} from './record.ts';
import { type Definition, limitsOf, type Registry } from './registry.ts';
import { type MachineStep, nextStep } from './xstate5.ts';

/** A message for another instance; delivered in order per pair, once. */
export interface Message {
  readonly to: string;
  readonly body:
    | {
        readonly kind: 'start';
        readonly definition: string;
        readonly input: unknown;
        readonly actorId: string;
        readonly token: string;
        readonly rewound?: Rewound;
      }
    | { readonly kind: 'parent.message'; readonly seq: number; readonly event: MachineEvent }
    | { readonly kind: 'parent.stop'; readonly seq: number }
    | {
        readonly kind: 'child.message';
        readonly token: string;
        readonly seq: number;
        readonly event: MachineEvent;
      }
    | { readonly kind: 'child.done'; readonly token: string; readonly seq: number; readonly output: unknown }
    | { readonly kind: 'child.failed'; readonly token: string; readonly seq: number; readonly error: unknown }
    | {
        readonly kind: 'peer.message';
        readonly from: string;
        readonly seq: number;
        readonly event: MachineEvent;
      };
}

export interface Turn {
  readonly registry: Registry;
  readonly definition: Definition;
  readonly id: string;
  readonly now: number;
  readonly revision: number;
  readonly by: Actor | undefined;
  /** Set where taking an event once led to what cannot be stored: events go into quarantine with this error. */
  readonly poison: unknown;
  status: InstanceStatus;
  minted: number;
  snapshot: AnyMachineSnapshot;
  parent: InstanceRecord['parent'];
  peers: InstanceRecord['peers'];
  activities: Readonly<Record<string, ActivityState>>;
  timers: Readonly<Record<string, TimerState>>;
  children: Readonly<Record<string, ChildState>>;
  inbox: readonly InboxItem[];
  quarantine: readonly Quarantined[];
  attention: Attention | null;
  rewound: Rewound | undefined;
  /** Events the instance sent itself; each is a macrostep of its own after the present one. */
  mailbox: readonly MachineEvent[];
  messages: readonly Message[];
  notes: readonly EffectNote[];
  /** Activities that need a worker after this commit. */
  dispatch: readonly string[];
  /** Custom actions, run by the committing process after the commit. */
  actions: readonly (() => void)[];
}

export function surroundings(turn: Pick<Turn, 'id' | 'definition' | 'parent' | 'children'>): Surroundings {
  const { children } = turn;
  let addresses: ReadonlyMap<string, string> | undefined;
  return {
    self: { id: turn.parent?.actorId ?? turn.definition.machine.id, address: turn.id },
    parent: turn.parent === null ? null : { id: '#parent', address: turn.parent.instanceId },
    addressOf(actorId) {
      addresses ??= addressesOf(children);
      return addresses.get(actorId) ?? null;
    },
  };
}

/** Of the children that hold their id. Thousands of them are asked for one by one. */
function addressesOf(children: Turn['children']): ReadonlyMap<string, string> {
  const addresses = new Map<string, string>();
  for (const token in children) {
    const child = children[token];
    if (child !== undefined && child.orphan !== true) addresses.set(child.actorId, child.instanceId);
  }
  return addresses;
}

/** One machine event and every event the instance sends itself because of it. Throws what the machine throws. */
export function take(turn: Turn, event: MachineEvent): void {
  step(turn, event);
  settle(turn);
}

function step(turn: Turn, event: MachineEvent): void {
  absorb(turn, nextStep(turn.definition.machine, turn.snapshot, event, surroundings(turn)));
}

/** Takes what the instance sent itself, until its mailbox is empty. */
export function settle(turn: Turn): void {
  while (turn.snapshot.status === 'active') {
    const [next, ...rest] = turn.mailbox;
    if (next === undefined) break;
    turn.mailbox = rest;
    step(turn, next);
  }
}

/** Books a macrostep's actions, in their order. */
export function absorb(turn: Turn, { snapshot, actions }: MachineStep): void {
  turn.snapshot = snapshot;
  for (const action of actions) book(turn, action);
}

function book(turn: Turn, action: MachineAction): void {
  switch (action.type) {
    case 'spawn':
      spawn(turn, action);
      break;
    case 'stop':
      stopActor(turn, action.actorId);
      break;
    case 'raise-later':
    case 'send-later':
      setTimer(turn, action);
      break;
    case 'cancel':
      cancelTimers(turn, action.id);
      break;
    case 'send':
      if (action.to === SELF) turn.mailbox = [...turn.mailbox, action.event];
      else send(turn, action.to, action.event);
      break;
    case 'emit':
      note(turn, { type: 'emitted', event: action.event });
      break;
    case 'log':
      note(turn, { type: 'logged', value: action.value, label: action.label });
      break;
    case 'custom':
      turn.actions = [...turn.actions, action.run];
      note(turn, { type: 'ran', action: action.name, params: action.params });
      break;
    default:
      action satisfies never;
  }
}

export function note(turn: Turn, effect: EffectNote): void {
  turn.notes = [...turn.notes, effect];
}

/** Incarnation tokens: unique in an instance because a revision is committed once. */
export function mint(turn: Turn): string {
  const token = `${turn.revision}-${turn.minted}`;
  turn.minted += 1;
  return token;
}

function spawn(turn: Turn, action: Extract<MachineAction, { type: 'spawn' }>): void {
  const { actorId, src, input } = action;
  const actor = turn.registry.actor(turn.definition, src);
  const token = mint(turn);
  turn.activities = orphaned(turn.activities, actorId);
  turn.children = orphaned(turn.children, actorId);
  if (actor.kind === 'child') {
    startChild(turn, token, action, actor.ref);
    return;
  }
  const activity: ActivityState = {
    actorId,
    src,
    queue: limitsOf(actor).queue,
    input,
    attempt: 1,
    phase: 'open',
    answers: 0,
    unverified: turn.rewound !== undefined,
    budgetFrom: 1,
  };
  turn.activities = { ...turn.activities, [token]: activity };
  turn.dispatch = [...turn.dispatch, token];
  note(turn, { type: 'activity-scheduled', token, actorId, activity: actor.name });
}

function startChild(
  turn: Turn,
  token: string,
  { actorId, src, input }: Extract<MachineAction, { type: 'spawn' }>,
  definition: string,
): void {
  const instanceId = `${turn.id}.${token}`;
  const child: ChildState = { actorId, src, instanceId, sent: 0, received: 0 };
  turn.children = { ...turn.children, [token]: child };
  const { rewound } = turn;
  const body = { kind: 'start', definition, input, actorId, token, ...(rewound && { rewound }) } as const;
  turn.messages = [...turn.messages, { to: instanceId, body }];
  note(turn, { type: 'child-started', token, actorId, instanceId });
}

/** Stops the actor that holds the id, if it has not ended. */
export function stopActor(turn: Turn, actorId: string): void {
  const activity = tokenOf(turn.activities, actorId);
  const child = tokenOf(turn.children, actorId);
  if (activity !== undefined) cancelActivity(turn, activity);
  else if (child !== undefined) stopChild(turn, child);
}

function cancelActivity(turn: Turn, token: string): void {
  turn.activities = without(turn.activities, token);
  dropRetryTimer(turn, token);
  note(turn, { type: 'activity-canceled', token });
}

/** The timer that waits to open the activity again. */
export function dropRetryTimer(turn: Turn, activity: string): void {
  for (const token in turn.timers) {
    if (turn.timers[token]?.activity === activity) turn.timers = without(turn.timers, token);
  }
}

export function stopChild(turn: Turn, token: string): void {
  const child = turn.children[token];
  if (child === undefined) return;
  const { instanceId, sent } = child;
  // Started and stopped inside one commit: the child never comes to be.
  const unborn = turn.messages.some(({ to, body }) => to === instanceId && body.kind === 'start');
  turn.messages = unborn
    ? turn.messages.filter(({ to }) => to !== instanceId)
    : [...turn.messages, { to: instanceId, body: { kind: 'parent.stop', seq: sent + 1 } }];
  turn.children = without(turn.children, token);
  note(turn, { type: 'child-stopped', token });
}

interface Addressed {
  readonly actorId: string;
  readonly orphan?: true;
}

/** The actor that holds the id: the last one spawned under it, while it lives. */
function tokenOf(live: Readonly<Record<string, Addressed>>, actorId: string): string | undefined {
  for (const token in live) {
    const actor = live[token];
    if (actor?.actorId === actorId && actor.orphan !== true) return token;
  }
  return undefined;
}

/** XState keeps one child an id: an older one of that id runs on unaddressed. */
function orphaned<Actor extends Addressed>(
  live: Readonly<Record<string, Actor>>,
  actorId: string,
): Readonly<Record<string, Actor>> {
  const holder = tokenOf(live, actorId);
  return holder === undefined ? live : { ...live, [holder]: { ...(live[holder] as Actor), orphan: true } };
}

/** Sends to a child, the parent or any instance whose reference the machine holds; to one that has ended, nothing. */
export function send(turn: Turn, to: ActorStandIn, event: MachineEvent): void {
  const { id, parent } = turn;
  const token = to.address === null ? tokenOf(turn.children, to.id) : childAt(turn, to.address);
  const child = token === undefined ? undefined : turn.children[token];
  if (parent !== null && to.address === parent.instanceId) {
    const seq = parent.sent + 1;
    turn.parent = { ...parent, sent: seq };
    post(turn, to.address, { kind: 'child.message', token: parent.token, seq, event });
  } else if (token !== undefined && child !== undefined) {
    const seq = child.sent + 1;
    turn.children = { ...turn.children, [token]: { ...child, sent: seq } };
    post(turn, child.instanceId, { kind: 'parent.message', seq, event });
  } else if (to.address === id) {
    turn.mailbox = [...turn.mailbox, event];
  } else if (to.address === null || to.address.startsWith(`${id}.`)) {
    // A child that was live has an address below ours; once its token is gone nobody listens there.
    note(turn, { type: 'dropped', to: to.id, event: event.type });
  } else {
    const peer = turn.peers[to.address] ?? { sent: 0, received: 0 };
    const seq = peer.sent + 1;
    turn.peers = { ...turn.peers, [to.address]: { ...peer, sent: seq } };
    post(turn, to.address, { kind: 'peer.message', from: id, seq, event });
  }
}

function post(turn: Turn, to: string, body: Extract<Message['body'], { event: MachineEvent }>): void {
  turn.messages = [...turn.messages, { to, body }];
  note(turn, { type: 'sent', to, event: body.event.type });
}

function childAt(turn: Turn, address: string): string | undefined {
  for (const token in turn.children) if (turn.children[token]?.instanceId === address) return token;
  return undefined;
}

function setTimer(turn: Turn, request: Extract<MachineAction, { type: 'raise-later' | 'send-later' }>): void {
  const { id, delay, event } = request;
  const token = mint(turn);
  const fireAt = turn.now + Math.max(0, delay);
  if (!(fireAt <= LAST_DATE_MS)) {
    throw new AppError(
      'value-not-durable',
      `The delay of '${event.type}' is ${delay}: no date is so far off.`,
      {
        details: { event: event.type },
      },
    );
  }
  const to = request.type === 'raise-later' || request.to === SELF ? undefined : asItIsNow(turn, request.to);
  turn.timers = { ...freeId(turn.timers, id), [token]: { id, fireAt, purpose: 'machine', event, to } };
  note(turn, { type: 'timer-set', token, id, fireAt });
}

/** The last moment a Date can be. */
const LAST_DATE_MS = 8.64e15;

/** The actor of that id now, so that a later one of the same id is not meant. */
function asItIsNow(turn: Turn, to: ActorStandIn): ActorStandIn {
  const token = to.address === null ? tokenOf(turn.children, to.id) : undefined;
  return token === undefined ? to : { id: to.id, address: turn.children[token]?.instanceId ?? null };
}

/**
 * XState's scheduler keeps one entry an id: setting or firing a timer drops the entry of every other timer of that id;
 * they still fire, but `cancel` no longer finds them.
 */
export function freeId(timers: Turn['timers'], id: string | undefined): Turn['timers'] {
  if (id === undefined) return timers;
  for (const token in timers) {
    const timer = timers[token];
    if (timer?.id === id && timer.orphan !== true) return { ...timers, [token]: { ...timer, orphan: true } };
  }
  return timers;
}

function cancelTimers(turn: Turn, id: string): void {
  for (const token in turn.timers) {
    const timer = turn.timers[token];
    if (timer?.id !== id || timer.orphan === true) continue;
    turn.timers = without(turn.timers, token);
    note(turn, { type: 'timer-cleared', token });
  }
}

export function without<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Readonly<Record<string, Value>> {
  // A rest pattern costs milliseconds where there are a thousand keys.
  const rest: Record<string, Value> = {};
  for (const other in record) if (other !== key) rest[other] = record[other] as Value;
  return rest;
}
