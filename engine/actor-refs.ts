/**
 * References to actors, live and at rest. A context, an input or an event may hold one (a child told who its parent is);
 * it is stored as its address and comes back as a stand-in with that address.
 */
import type { AnyActorRef } from 'xstate';
import { AppError } from '../shared/errors.ts';
import { DEEPEST } from './codec.ts';

/** A reference to an actor at rest: who it is and, where it is another instance, its address. */
export interface ActorStandIn {
  readonly id: string;
  /** Instance id of the actor, or null for an activity. */
  readonly address: string | null;
}

/** Who an instance is to its machine: itself, its parent, and the children XState believes it has. */
export interface Surroundings {
  readonly self: ActorStandIn;
  readonly parent: ActorStandIn | null;
  addressOf(actorId: string): string | null;
}

/** The target of a send to the instance itself. */
export const SELF: ActorStandIn = { id: '#self', address: null };

export function standInOf(ref: AnyActorRef): ActorStandIn {
  const who = (ref as unknown as { [REF]?: ActorStandIn })[REF];
  return who ?? { id: ref.id, address: null };
}

const REF = Symbol('actor stand-in');

/**
 * A reference that can be addressed, compared and stored, but not talked to: everything goes through the commit. A class
 * because one is made at each step, and methods on a prototype are made once.
 */
class StandIn {
  readonly [REF]: ActorStandIn;
  readonly id: string;
  readonly sessionId: string;
  readonly src: string;
  readonly systemId: string | undefined;
  readonly system: ActorSystemPart | undefined;
  readonly _parent: AnyActorRef | undefined;
  readonly _processingStatus = 1;

  constructor(
    who: ActorStandIn,
    parent: AnyActorRef | undefined,
    src: string,
    systemId: string | undefined,
    system: ActorSystemPart | undefined,
  ) {
    this[REF] = who;
    this.id = who.id;
    this.sessionId = who.address ?? who.id;
    this.src = src;
    this.systemId = systemId;
    this.system = system;
    this._parent = parent;
  }

  get ref(): this {
    return this;
  }
  get options(): object {
    return {};
  }
  send(): never {
    return refuseTalk(this.id);
  }
  start(): void {}
  on(): never {
    return refuseTalk(this.id);
  }
  subscribe(): never {
    return refuseTalk(this.id);
  }
  getSnapshot(): never {
    return refuseTalk(this.id);
  }
  getPersistedSnapshot(): object {
    return { status: 'active' };
  }
  toJSON(): object {
    return refToData(this[REF]);
  }
}

/** Silence would lose the event, or show a state that is not the actor's. */
function refuseTalk(actor: string): never {
  throw new AppError('machine-not-durable', `The actor '${actor}' was talked to past the machine.`, {
    details: { actor, mend: 'Use raise, sendTo or enqueueActions.' },
  });
}

/** What a stand-in needs of the actor system it is part of. */
export interface ActorSystemPart {
  _set(systemId: string, ref: unknown): void;
}

export function standIn(
  who: ActorStandIn,
  parent: AnyActorRef | undefined,
  src: string,
  systemId: string | undefined,
  system: ActorSystemPart | undefined = (parent as { system?: ActorSystemPart } | undefined)?.system,
): AnyActorRef {
  const ref = new StandIn(who, parent, src, systemId, system);
  if (systemId !== undefined) system?._set(systemId, ref);
  return ref as unknown as AnyActorRef;
}

const REF_MARK = '$actor';

function refToData(who: ActorStandIn): object {
  return { [REF_MARK]: who.id, address: who.address };
}

function isActorRef(value: object): value is AnyActorRef {
  return 'sessionId' in value && 'send' in value && 'ref' in value;
}

const withoutRefsKnown = new WeakMap<object, unknown>();

/** Copies only what holds a reference; everything else keeps its identity. */
export function withoutRefs(value: unknown): unknown {
  return mapObjects(value, dataOfRef);
}

/** As `withoutRefs`, looked at once per context: a machine replaces its context and never changes it. */
export function contextWithoutRefs(context: unknown): unknown {
  if (typeof context !== 'object' || context === null) return context;
  if (withoutRefsKnown.has(context)) return withoutRefsKnown.get(context);
  const plain = withoutRefs(context);
  withoutRefsKnown.set(context, plain);
  return plain;
}

function dataOfRef(object: object): object | undefined {
  return isActorRef(object) ? refToData(standInOf(object)) : undefined;
}

export function reviveRefs(value: unknown, around: Surroundings, self: AnyActorRef): unknown {
  return mapObjects(value, (object) => {
    if (!(REF_MARK in object) || !('address' in object)) return undefined;
    const who = { id: String(object[REF_MARK]), address: object.address as string | null };
    if (who.address !== null && who.address === around.self.address) return self;
    return standIn(
      who,
      undefined,
      '#ref',
      undefined,
      (self as unknown as { system: ActorSystemPart }).system,
    );
  });
}

/** Copies only what holds a reference at rest, each with its address as `moved` says. */
export function readdressRefs(value: unknown, moved: (address: string) => string): unknown {
  return mapObjects(value, (object) => {
    if (!(REF_MARK in object) || !('address' in object)) return undefined;
    return typeof object.address === 'string' ? { ...object, address: moved(object.address) } : object;
  });
}

type Replace = (object: object) => unknown;

/** What is nested too deep, or holds itself, is left as it is: nothing can store it, and whoever tries says so. */
function mapObjects(value: unknown, replace: Replace): unknown {
  try {
    return mapWithin(value, replace, 0);
  } catch (error) {
    if (error === TOO_DEEP) return value;
    throw error;
  }
}

const TOO_DEEP = Symbol('too deep');

function mapWithin(value: unknown, replace: Replace, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) throw TOO_DEEP;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const mapped = mapWithin(value[index], replace, depth + 1);
      if (mapped !== value[index]) {
        copy ??= [...value];
        copy[index] = mapped;
      }
    }
    return copy ?? value;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  let copy: Record<string, unknown> | undefined;
  const record = value as Record<string, unknown>;
  for (const key in record) {
    const part = record[key];
    if (typeof part !== 'object' || part === null) continue;
    const mapped = mapWithin(part, replace, depth + 1);
    if (mapped !== part) {
      copy ??= { ...record };
      copy[key] = mapped;
    }
  }
  return copy ?? value;
}
