/** XState's executable actions as data: what a macrostep asks for, in the order it takes effect. */
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import { AppError } from '../shared/errors.ts';
import { type ActorStandIn, SELF, standInOf, withoutRefs } from './actor-refs.ts';
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
  const ordered = [...raw];
  for (let at = 0; at < ordered.length; at += 1) {
    const { type, params } = ordered[at] as RawAction;
    const to = (params as { to?: unknown } | undefined)?.to;
    if (type !== 'xstate.sendTo' || to === undefined) continue;
    const spawn = ordered.findIndex(
      (later, index) =>
        index > at &&
        later.type === 'xstate.spawnChild' &&
        (later.params as { actorRef?: unknown }).actorRef === to,
    );
    if (spawn < 0) continue;
    ordered.splice(at, 0, ...ordered.splice(spawn, 1));
    at += 1;
  }
  return ordered;
}

export function toMachineAction(
  action: RawAction,
  self: AnyActorRef,
  snapshot: AnyMachineSnapshot,
): MachineAction[] {
  const params = (action.params ?? {}) as Record<string, unknown>;
  switch (action.type) {
    case 'xstate.raise':
      // Without a delay it was consumed inside the macrostep.
      if (typeof params['delay'] !== 'number') return [];
      return [
        {
          type: 'raise-later',
          ...idOf(params),
          delay: params['delay'],
          event: params['event'] as MachineEvent,
        },
      ];
    case 'xstate.sendTo':
      return sendAction(params, self, snapshot);
    case 'xstate.cancel':
      return [{ type: 'cancel', id: String(params['sendId']) }];
    case 'xstate.spawnChild':
      return [spawnAction(params)];
    case 'xstate.stopChild':
      return action.params === undefined
        ? []
        : [{ type: 'stop', actorId: (action.params as { id: string }).id }];
    case 'xstate.emit':
      return [{ type: 'emit', event: params['event'] as MachineEvent }];
    case 'xstate.log':
      return [
        {
          type: 'log',
          value: params['value'],
          ...(params['label'] ? { label: String(params['label']) } : {}),
        },
      ];
    default: {
      const { exec } = action;
      if (exec === undefined) return [];
      return [
        {
          type: 'custom',
          name: action.type,
          params: action.params,
          run: () => exec(action.info, action.params),
        },
      ];
    }
  }
}

function idOf(params: Record<string, unknown>): { id?: string } {
  return params['id'] === undefined ? {} : { id: String(params['id']) };
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
  return {
    type: 'spawn',
    actorId,
    src,
    input: withoutRefs(params['input']),
    ...(params['systemId'] === undefined ? {} : { systemId: String(params['systemId']) }),
  };
}

function sendAction(
  params: Record<string, unknown>,
  self: AnyActorRef,
  snapshot: AnyMachineSnapshot,
): MachineAction[] {
  const target = typeof params['to'] === 'string' ? snapshot.children[params['to']] : params['to'];
  if (target === undefined || target === null) return [];
  const to = target === self ? SELF : standInOf(target as AnyActorRef);
  const raw = params['event'] as MachineEvent;
  // `escalate`'s successor: an error sent by hand arrives as the sender's error event.
  const event =
    raw.type === 'xstate.error'
      ? { type: `xstate.error.actor.${self.id}`, error: raw['data'], actorId: self.id }
      : raw;
  return typeof params['delay'] === 'number'
    ? [
        {
          type: 'send-later',
          to,
          ...idOf(params),
          delay: params['delay'],
          event: withoutRefs(event) as MachineEvent,
        },
      ]
    : [{ type: 'send', to, event: withoutRefs(event) as MachineEvent }];
}
