/**
 * One decision in the making: the record's live parts, the snapshot, and what was asked for so far. A turn is only
 * ever replaced, never changed, so that an event that throws half-way leaves nothing behind.
 */
import type { AnyMachineSnapshot } from 'xstate';
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
  Quarantined,
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
  readonly minted: number;
  readonly snapshot: AnyMachineSnapshot;
  readonly parent: InstanceRecord['parent'];
  readonly peers: InstanceRecord['peers'];
  readonly activities: Readonly<Record<string, ActivityState>>;
  readonly timers: Readonly<Record<string, TimerState>>;
  readonly children: Readonly<Record<string, ChildState>>;
  readonly inbox: readonly InboxItem[];
  readonly quarantine: readonly Quarantined[];
  readonly attention: Attention | null;
  /** Events the instance sent itself; each is a macrostep of its own after the present one. */
  readonly mailbox: readonly MachineEvent[];
  readonly messages: readonly Message[];
  readonly notes: readonly EffectNote[];
  /** Activities that need a worker after this commit. */
  readonly dispatch: readonly string[];
  /** Custom actions, run by the committing process after the commit. */
  readonly actions: readonly (() => void)[];
  readonly by: Actor | undefined;
  /** Set where taking an event once led to what cannot be stored: events go into quarantine with this error. */
  readonly poison: unknown;
}

export function surroundings(turn: Pick<Turn, 'id' | 'definition' | 'parent' | 'children'>): Surroundings {
  return {
    self: { id: turn.parent?.actorId ?? turn.definition.machine.id, address: turn.id },
    parent: turn.parent === null ? null : { id: '#parent', address: turn.parent.instanceId },
    addressOf: (actorId) =>
      Object.values(turn.children).find((child) => child.actorId === actorId && child.orphan !== true)
        ?.instanceId ?? null,
  };
}

/** One machine event and every event the instance sends itself because of it. Throws what the machine throws. */
export function take(turn: Turn, event: MachineEvent): Turn {
  return settle(absorb(turn, nextStep(turn.definition.machine, turn.snapshot, event, surroundings(turn))));
}

/** Takes what the instance sent itself, until its mailbox is empty. */
export function settle(turn: Turn): Turn {
  let after = turn;
  while (after.mailbox.length > 0 && after.snapshot.status === 'active') {
    const [next, ...rest] = after.mailbox;
    const before: Turn = { ...after, mailbox: rest };
    after = absorb(
      before,
      nextStep(turn.definition.machine, before.snapshot, next as MachineEvent, surroundings(before)),
    );
  }
  return { ...after, mailbox: [] };
}

/** Books a macrostep's actions, in their order. */
export function absorb(turn: Turn, step: MachineStep): Turn {
  let after: Turn = { ...turn, snapshot: step.snapshot };
  for (const action of step.actions) after = book(after, action);
  if (step.snapshot.status !== 'active') after = dropTimers(after);
  return after;
}

function book(turn: Turn, action: MachineAction): Turn {
  switch (action.type) {
    case 'spawn':
      return spawn(turn, action);
    case 'stop':
      return stopActor(turn, action.actorId);
    case 'raise-later':
      return setTimer(turn, { id: action.id, delay: action.delay, event: action.event });
    case 'send-later':
      return setTimer(turn, { id: action.id, delay: action.delay, event: action.event, to: action.to });
    case 'cancel':
      return cancelTimers(turn, action.id);
    case 'send':
      return action.to === SELF
        ? { ...turn, mailbox: [...turn.mailbox, action.event] }
        : send(turn, action.to, action.event);
    case 'emit':
      return note(turn, { type: 'emitted', event: action.event });
    case 'log':
      return note(turn, {
        type: 'logged',
        value: action.value,
        ...(action.label === undefined ? {} : { label: action.label }),
      });
    case 'custom':
      return {
        ...note(turn, {
          type: 'ran',
          action: action.name,
          ...(action.params === undefined ? {} : { params: action.params }),
        }),
        actions: [...turn.actions, action.run],
      };
    default:
      return action satisfies never;
  }
}

export function note(turn: Turn, effect: EffectNote): Turn {
  return { ...turn, notes: [...turn.notes, effect] };
}

/** Incarnation tokens: unique in an instance because a revision is committed once. */
export function mint(turn: Turn): readonly [Turn, string] {
  return [{ ...turn, minted: turn.minted + 1 }, `${turn.revision}-${turn.minted}`];
}

function spawn(turn: Turn, action: Extract<MachineAction, { type: 'spawn' }>): Turn {
  const actor = turn.registry.actor(turn.definition, action.src);
  const [minted, token] = mint({
    ...turn,
    activities: orphaned(turn.activities, action.actorId),
    children: orphaned(turn.children, action.actorId),
  });
  if (actor.kind === 'child') return startChild(minted, token, action, actor.ref);
  const activity: ActivityState = {
    actorId: action.actorId,
    src: action.src,
    queue: limitsOf(actor).queue,
    ...(action.input === undefined ? {} : { input: action.input }),
    attempt: 1,
    phase: 'open',
    answers: 0,
    unverified: false,
    budgetFrom: 1,
  };
  return note(
    {
      ...minted,
      activities: { ...minted.activities, [token]: activity },
      dispatch: [...minted.dispatch, token],
    },
    { type: 'activity-scheduled', token, actorId: action.actorId, activity: actor.name },
  );
}

function startChild(
  turn: Turn,
  token: string,
  action: Extract<MachineAction, { type: 'spawn' }>,
  definition: string,
): Turn {
  const instanceId = `${turn.id}.${token}`;
  const child: ChildState = { actorId: action.actorId, src: action.src, instanceId, sent: 0, received: 0 };
  const started: Turn = {
    ...turn,
    children: { ...turn.children, [token]: child },
    messages: [
      ...turn.messages,
      {
        to: instanceId,
        body: { kind: 'start', definition, input: action.input, actorId: action.actorId, token },
      },
    ],
  };
  return note(started, { type: 'child-started', token, actorId: action.actorId, instanceId });
}

/** Stops the actor that holds the id, if it has not ended. */
export function stopActor(turn: Turn, actorId: string): Turn {
  const activity = tokenOf(turn.activities, actorId);
  if (activity !== undefined) return cancelActivity(turn, activity);
  const child = tokenOf(turn.children, actorId);
  return child === undefined ? turn : stopChild(turn, child);
}

export function cancelActivity(turn: Turn, token: string): Turn {
  const timers = Object.entries(turn.timers).filter(([, timer]) => timer.activity !== token);
  return note(
    { ...turn, activities: without(turn.activities, token), timers: Object.fromEntries(timers) },
    { type: 'activity-canceled', token },
  );
}

export function stopChild(turn: Turn, token: string): Turn {
  const child = turn.children[token];
  if (child === undefined) return turn;
  // Started and stopped inside one commit: the child never comes to be.
  const started = turn.messages.findIndex(
    (message) => message.to === child.instanceId && message.body.kind === 'start',
  );
  const messages: readonly Message[] =
    started >= 0
      ? turn.messages.filter((message) => message.to !== child.instanceId)
      : [...turn.messages, { to: child.instanceId, body: { kind: 'parent.stop', seq: child.sent + 1 } }];
  return note(
    { ...turn, children: without(turn.children, token), messages },
    { type: 'child-stopped', token },
  );
}

interface Addressed {
  readonly actorId: string;
  readonly orphan?: true;
}

/** The actor that holds the id: the last one spawned under it, while it lives. */
function tokenOf(live: Readonly<Record<string, Addressed>>, actorId: string): string | undefined {
  return Object.entries(live).find(([, actor]) => actor.actorId === actorId && actor.orphan !== true)?.[0];
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
export function send(turn: Turn, to: ActorStandIn, event: MachineEvent): Turn {
  if (turn.parent !== null && to.address === turn.parent.instanceId) {
    const seq = turn.parent.sent + 1;
    const body = { kind: 'child.message', token: turn.parent.token, seq, event } as const;
    return sent({ ...turn, parent: { ...turn.parent, sent: seq } }, to.address, body, event);
  }
  const token = to.address === null ? tokenOf(turn.children, to.id) : childAt(turn, to.address);
  const child = token === undefined ? undefined : turn.children[token];
  if (token !== undefined && child !== undefined) {
    const seq = child.sent + 1;
    const children = { ...turn.children, [token]: { ...child, sent: seq } };
    return sent({ ...turn, children }, child.instanceId, { kind: 'parent.message', seq, event }, event);
  }
  if (to.address === turn.id) return { ...turn, mailbox: [...turn.mailbox, event] };
  // A child that was live has an address below ours; once its token is gone nobody listens there.
  if (to.address === null || to.address.startsWith(`${turn.id}.`))
    return note(turn, { type: 'dropped', to: to.id, event: event.type });
  const peer = turn.peers[to.address] ?? { sent: 0, received: 0 };
  const seq = peer.sent + 1;
  const peers = { ...turn.peers, [to.address]: { ...peer, sent: seq } };
  return sent({ ...turn, peers }, to.address, { kind: 'peer.message', from: turn.id, seq, event }, event);
}

function sent(turn: Turn, to: string, body: Message['body'], event: MachineEvent): Turn {
  return note(
    { ...turn, messages: [...turn.messages, { to, body }] },
    { type: 'sent', to, event: event.type },
  );
}

function childAt(turn: Turn, address: string): string | undefined {
  return Object.entries(turn.children).find(([, child]) => child.instanceId === address)?.[0];
}

interface TimerRequest {
  readonly id: string | undefined;
  readonly delay: number;
  readonly event: MachineEvent;
  readonly to?: ActorStandIn;
}

function setTimer(turn: Turn, request: TimerRequest): Turn {
  const [minted, token] = mint(turn);
  const timer: TimerState = {
    ...(request.id === undefined ? {} : { id: request.id }),
    fireAt: turn.now + Math.max(0, request.delay),
    purpose: 'machine',
    event: request.event,
    ...(request.to === undefined || request.to === SELF ? {} : { to: fixed(turn, request.to) }),
  };
  const timers = { ...freeId(minted.timers, request.id), [token]: timer };
  return note(
    { ...minted, timers },
    {
      type: 'timer-set',
      token,
      ...(request.id === undefined ? {} : { id: request.id }),
      fireAt: timer.fireAt,
    },
  );
}

/** The actor of that id now, so that a later one of the same id is not meant. */
function fixed(turn: Turn, to: ActorStandIn): ActorStandIn {
  const token = to.address === null ? tokenOf(turn.children, to.id) : undefined;
  return token === undefined ? to : { id: to.id, address: turn.children[token]?.instanceId ?? null };
}

/**
 * XState's scheduler keeps one entry an id: setting or firing a timer drops the entry of every other timer of that id;
 * they still fire, but `cancel` no longer finds them.
 */
export function freeId(timers: Turn['timers'], id: string | undefined): Turn['timers'] {
  const holder = Object.entries(timers).find(([, timer]) => timer.id === id && timer.orphan !== true);
  if (id === undefined || holder === undefined) return timers;
  const [token, timer] = holder;
  return { ...timers, [token]: { ...timer, orphan: true } };
}

function cancelTimers(turn: Turn, id: string): Turn {
  let after = turn;
  for (const [token, timer] of Object.entries(turn.timers)) {
    if (timer.id === id && timer.orphan !== true)
      after = note({ ...after, timers: without(after.timers, token) }, { type: 'timer-cleared', token });
  }
  return after;
}

function dropTimers(turn: Turn): Turn {
  return Object.keys(turn.timers).length === 0 ? turn : { ...turn, timers: {} };
}

export function without<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Readonly<Record<string, Value>> {
  const { [key]: _gone, ...rest } = record;
  return rest;
}
