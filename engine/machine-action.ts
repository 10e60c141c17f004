/** XState's executable actions as data: what a macrostep asks for, in the order it takes effect. */
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { AppError } from '../shared/errors.ts';
import { type ActorStandIn, SELF, standInOf, withoutRefs } from './actor-refs.ts';
import { storable } from './codec.ts';
import type { MachineEvent } from './event.ts';

/** What a macrostep asks for, in XState's own order. */
export type MachineAction =
  | {
      readonly type: 'spawn';
      readonly actorId: string;
      readonly src: string;
      readonly input: unknown;
      readonly systemId?: string;
    }
  | { readonly type: 'stop'; readonly actorId: string }
  | {
      readonly type: 'raise-later';
      readonly id?: string;
      readonly delay: number;
      readonly event: MachineEvent;
    }
  | { readonly type: 'send'; readonly to: ActorStandIn; readonly event: MachineEvent }
  | {
      readonly type: 'send-later';
      readonly to: ActorStandIn;
      readonly id?: string;
      readonly delay: number;
      readonly event: MachineEvent;
    }
  | { readonly type: 'cancel'; readonly id: string }
  | { readonly type: 'emit'; readonly event: MachineEvent }
  | { readonly type: 'log'; readonly value: unknown; readonly label?: string }
  | { readonly type: 'custom'; readonly name: string; readonly params: unknown; readonly run: () => void };

/** An action as XState hands it over. */
export interface RawAction {
  readonly type: string;
  readonly params: unknown;
  readonly info: unknown;
  readonly exec?: (info: unknown, params: unknown) => void;
}

/**
 * An entry action may send to an actor its own state is about to invoke; XState delivers once the actor is there. Here
 * such a spawn moves in front of the send.
 */
export function inOrder(raw: readonly RawAction[]): readonly RawAction[] {
  if (!raw.some(({ type }) => type === 'xstate.sendTo')) return raw;
  const spawns = new Map(raw.map((action) => [spawnedBy(action), action]));
  spawns.delete(undefined);
  if (spawns.size === 0) return raw;
  const ordered = new Set<RawAction>();
  for (const action of raw) {
    const { to } = (action.params ?? {}) as { to?: object };
    const awaited = action.type === 'xstate.sendTo' ? spawns.get(to) : undefined;
    if (awaited !== undefined) ordered.add(awaited);
    ordered.add(action);
  }
  return [...ordered];
}

/** The reference to the actor that this action starts. */
export function spawnedBy({ type, params }: RawAction): object | undefined {
  return type === 'xstate.spawnChild' ? (params as { actorRef?: object }).actorRef : undefined;
}

/** Null for what has taken effect within the macrostep, or has none. */
export function toMachineAction(
  action: RawAction,
  self: AnyActorRef,
  snapshot: AnyMachineSnapshot,
): MachineAction | null {
  const params = (action.params ?? {}) as Record<string, unknown>;
  switch (action.type) {
    case 'xstate.raise':
      // Without a delay it was consumed inside the macrostep.
      if (typeof params['delay'] !== 'number') return null;
      return {
        type: 'raise-later',
        id: idOf(params),
        delay: params['delay'],
        event: withoutRefs(params['event']) as MachineEvent,
      };
    case 'xstate.sendTo':
      return sendAction(params, self, snapshot);
    case 'xstate.cancel':
      return { type: 'cancel', id: String(params['sendId']) };
    case 'xstate.spawnChild':
      return spawnAction(params);
    case 'xstate.stopChild':
      return action.params === undefined
        ? null
        : { type: 'stop', actorId: (action.params as { id: string }).id };
    case 'xstate.emit':
      return { type: 'emit', event: withoutRefs(params['event']) as MachineEvent };
    case 'xstate.log': {
      const { value, label } = params;
      return { type: 'log', value: told(value), label: label ? String(label) : undefined };
    }
    default: {
      const { exec, info } = action;
      if (exec === undefined) return null;
      return {
        type: 'custom',
        name: action.type,
        params: told(action.params),
        run: () => exec(info, action.params),
      };
    }
  }
}

/** What only the history tells must not keep an event from being taken. */
function told(value: unknown): unknown {
  return storable(withoutRefs(value));
}

function idOf({ id }: Record<string, unknown>): string | undefined {
  return id === undefined ? undefined : String(id);
}

function spawnAction(params: Record<string, unknown>): MachineAction {
  const { id, src } = params;
  // `params.id` is the raw option; a function id was resolved into the reference.
  const actorId = typeof id === 'function' ? (params['actorRef'] as { id: string } | undefined)?.id : id;
  if (typeof actorId !== 'string' || typeof src !== 'string') {
    throw new AppError(
      'machine-not-durable',
      `An actor was spawned without ${typeof src === 'string' ? 'an id' : 'a named source'}.`,
      {
        details: {
          src: typeof src === 'string' ? src : '(inline)',
          mend: 'Give spawnChild an id and name its logic in setup({ actors }).',
        },
      },
    );
  }
  const systemId = params['systemId'];
  return {
    type: 'spawn',
    actorId,
    src,
    input: withoutRefs(params['input']),
    systemId: systemId === undefined ? undefined : String(systemId),
  };
}

function sendAction(
  params: Record<string, unknown>,
  self: AnyActorRef,
  snapshot: AnyMachineSnapshot,
): MachineAction | null {
  const target = typeof params['to'] === 'string' ? snapshot.children[params['to']] : params['to'];
  if (target === undefined || target === null) return null;
  const to = target === self ? SELF : standInOf(target as AnyActorRef);
  const raw = params['event'] as MachineEvent;
  // `escalate`'s successor: an error sent by hand arrives as the sender's error event.
  const event = withoutRefs(
    raw.type === 'xstate.error'
      ? { type: `xstate.error.actor.${self.id}`, error: raw['data'], actorId: self.id }
      : raw,
  ) as MachineEvent;
  return typeof params['delay'] === 'number'
    ? { type: 'send-later', to, id: idOf(params), delay: params['delay'], event }
    : { type: 'send', to, event };
}
