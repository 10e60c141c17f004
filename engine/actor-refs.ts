/**
 * References to actors, live and at rest. A context, an input or an event may hold one (a child told who its parent is);
 * it is stored as its address and comes back as a stand-in with that address.
 */
import type { AnyActorRef } from 'xstate';

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

/** A reference that can be addressed, compared and stored, but not talked to: everything goes through the commit. */
export function standIn(
  who: ActorStandIn,
  parent: AnyActorRef | undefined,
  src: string,
  systemId: string | undefined,
  system?: object,
): AnyActorRef {
  const shared = system ?? (parent as unknown as { system: object } | undefined)?.system;
  const ref = {
    [REF]: who,
    id: who.id,
    sessionId: who.address ?? who.id,
    src,
    systemId,
    system: shared,
    _parent: parent,
    _processingStatus: 1,
    options: {},
    send: () => {},
    start: () => {},
    on: () => ({ unsubscribe: () => {} }),
    subscribe: () => ({ unsubscribe: () => {} }),
    getSnapshot: () => ({ status: 'active' }),
    getPersistedSnapshot: () => ({ status: 'active' }),
    toJSON: () => refToData(who),
  } as Record<string | symbol, unknown>;
  ref['ref'] = ref;
  if (systemId !== undefined)
    (shared as { _set?(id: string, ref: unknown): void } | undefined)?._set?.(systemId, ref);
  return ref as unknown as AnyActorRef;
}

const REF_MARK = '$actor';

function refToData(who: ActorStandIn): object {
  return { [REF_MARK]: who.id, address: who.address };
}

function isActorRef(value: object): value is AnyActorRef {
  return 'sessionId' in value && 'send' in value && 'ref' in value;
}

/** Copies only what holds a reference; everything else keeps its identity. */
export function withoutRefs(value: unknown): unknown {
  return mapObjects(value, (object) => (isActorRef(object) ? refToData(standInOf(object)) : undefined));
}

export function reviveRefs(value: unknown, around: Surroundings, self: AnyActorRef): unknown {
  return mapObjects(value, (object) => {
    if (!(REF_MARK in object) || !('address' in object)) return undefined;
    const who = { id: String(object[REF_MARK]), address: object.address as string | null };
    if (who.address !== null && who.address === around.self.address) return self;
    return standIn(who, undefined, '#ref', undefined, (self as unknown as { system: object }).system);
  });
}

function mapObjects(value: unknown, replace: (object: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const mapped = mapObjects(value[index], replace);
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
  for (const [key, part] of Object.entries(value)) {
    const mapped = mapObjects(part, replace);
    if (mapped !== part) {
      copy ??= { ...value };
      copy[key] = mapped;
    }
  }
  return copy ?? value;
}
