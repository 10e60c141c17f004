/** Whether an instance as stored can live on under a definition: this release's of its version, or the next version's. */
import type { z } from 'zod';
import { messageOf } from '../shared/errors.ts';
import type { InstanceRecord } from './record.ts';
import type { ActorDefinition, Definition, Registry } from './registry.ts';
import { activePaths, type StateShape, shapeOf, togetherOf } from './shape.ts';

export interface FitProblem {
  readonly code:
    | 'version-missing'
    | 'state-vanished'
    | 'signal-unhandled'
    | 'signal-vanished'
    | 'context-unreadable'
    | 'activity-unfit'
    | 'child-unfit'
    | 'timer-unhandled'
    | 'not-begun'
    | 'no-migration';
  readonly message: string;
}

/**
 * Everything that does not fit, empty when all does. `before` is what its states did for it under the definition it
 * came from, where that is known: what has ended there need not run here, and what was awaited there must be heard here.
 */
export function problemsOf(
  registry: Registry,
  definition: Definition,
  record: InstanceRecord,
  before: StateShape | null,
): readonly FitProblem[] {
  const shape = shapeOf(definition);
  const paths = activePaths(record.machine.value);
  const vanished = paths.filter((path) => shape.states[path] === undefined);
  if (vanished.length > 0)
    return vanished.map((path) => problem('state-vanished', `'${definition.ref}' has no state '${path}'`));
  const now = togetherOf(shape, paths);
  return [
    ...liveProblems(registry, definition, record, now, before),
    ...timerProblems(record, now, shape.states),
    ...(before === null ? [] : notBegun(record, now, before)),
    ...inboxProblems(definition, record),
    ...(before === null ? [] : arrivedProblems(record, now, before)),
    ...contextProblems(definition, record),
  ];
}

/** Signals the instance can take now and could no longer. */
export function unheard(
  now: StateShape,
  before: StateShape,
  signals: readonly string[] | null,
): readonly FitProblem[] {
  if (now.on.includes('*')) return [];
  return before.on
    .filter((type) => !type.startsWith('xstate.') && type !== '*')
    .filter((type) => !now.on.includes(type) || (signals !== null && !signals.includes(type)))
    .map((type) => problem('signal-unhandled', `it waits for '${type}', which its state no longer takes`));
}

export function problem(code: FitProblem['code'], message: string): FitProblem {
  return { code, message };
}

function liveProblems(
  registry: Registry,
  definition: Definition,
  record: InstanceRecord,
  now: StateShape,
  before: StateShape | null,
): FitProblem[] {
  const actorOf = (src: string): ActorDefinition | null => {
    try {
      return registry.actor(definition, src);
    } catch {
      return null;
    }
  };
  const unawaited = (actorId: string, src: string): string | null => {
    const wanted = now.invokes.find(([id]) => id === actorId);
    if (wanted !== undefined)
      return wanted[1] === src ? null : `its state now invokes '${wanted[1]}' under that id`;
    // What was spawned by an action belongs to no state.
    return before?.invokes.some(([id]) => id === actorId) ? 'no active state invokes it' : null;
  };
  const activities = Object.values(record.activities).flatMap(({ actorId, src, input }): FitProblem[] => {
    const actor = actorOf(src);
    if (actor?.kind !== 'activity')
      return [problem('activity-unfit', `its activity '${actorId}' runs '${src}', which is not there`)];
    const why = unawaited(actorId, src) ?? misfit(actor.contract?.input, input);
    return why === null ? [] : [problem('activity-unfit', `its activity '${actorId}' (${src}): ${why}`)];
  });
  const children = Object.values(record.children).flatMap(({ actorId, src }): FitProblem[] => {
    const why = actorOf(src)?.kind === 'child' ? unawaited(actorId, src) : 'there is no such machine';
    return why === null ? [] : [problem('child-unfit', `its child '${actorId}' (${src}): ${why}`)];
  });
  return [...activities, ...children];
}

/** An `after` timer is its state's own; any other delayed event only has to be known somewhere. */
function timerProblems(
  { timers }: InstanceRecord,
  now: StateShape,
  states: Readonly<Record<string, StateShape>>,
): FitProblem[] {
  const anywhere = new Set(Object.values(states).flatMap(({ on }) => on));
  return Object.values(timers).flatMap(({ event, to }) => {
    if (event === undefined || to !== undefined) return [];
    const known = event.type.startsWith('xstate.after.')
      ? now.after.includes(event.type)
      : anywhere.has(event.type) || anywhere.has('*');
    return known ? [] : [problem('timer-unhandled', `nothing takes its timer '${event.type}'`)];
  });
}

/** What the states do from their entry on, and this instance never began, because they did not do it when it entered. */
function notBegun(
  { activities, children }: InstanceRecord,
  now: StateShape,
  before: StateShape,
): FitProblem[] {
  const live = new Set(
    [...Object.values(activities), ...Object.values(children)].map(({ actorId }) => actorId),
  );
  const invokes = now.invokes
    .filter(([id]) => !live.has(id) && !before.invokes.some(([old]) => old === id))
    .map(([id, src]) =>
      problem('not-begun', `its state now invokes '${id}' (${src}) on entry, and it is past that`),
    );
  const timers = now.after
    .filter((type) => !before.after.includes(type))
    .map((type) =>
      problem('not-begun', `its state now sets the timer '${type}' on entry, and it is past that`),
    );
  return [...invokes, ...timers];
}

function inboxProblems({ workflow }: Definition, { inbox }: InstanceRecord): FitProblem[] {
  const signals = workflow?.signals;
  if (signals === undefined) return [];
  return inbox.flatMap(({ signalId, event }) => {
    if (signalId === null || event.type === workflow?.cancelEvent) return [];
    const { type, ...payload } = event;
    const contract = Object.hasOwn(signals, type) ? signals[type] : undefined;
    if (contract === undefined)
      return [problem('signal-vanished', `it keeps a signal '${type}', which is no more`)];
    const why = misfit(contract.payload, payload);
    return why === null ? [] : [problem('signal-vanished', `it keeps a signal '${type}': ${why}`)];
  });
}

/** Its own timers and results that came while it was paused. */
function arrivedProblems({ inbox }: InstanceRecord, now: StateShape, before: StateShape): FitProblem[] {
  return inbox
    .filter(({ signalId, event }) => signalId === null && before.on.includes(event.type))
    .filter(({ event }) => !now.on.includes(event.type))
    .map(({ event }) =>
      problem('timer-unhandled', `it keeps '${event.type}', which its state no longer takes`),
    );
}

function contextProblems({ workflow }: Definition, { machine }: InstanceRecord): FitProblem[] {
  if (workflow === null) return [];
  const why = misfit(workflow.context, machine.context);
  if (why !== null) return [problem('context-unreadable', why)];
  try {
    workflow.subject(machine.context);
    workflow.correlationKeys(machine.context);
    return [];
  } catch (error) {
    return [problem('context-unreadable', messageOf(error))];
  }
}

/** Why a schema does not take a value; null when it does, or when there is none. */
export function misfit(schema: z.ZodType | undefined, value: unknown): string | null {
  const result = schema?.safeParse(value);
  if (result === undefined || result.success) return null;
  return result.error.issues
    .map(({ path, message }) => `/${path.map(String).join('/')}: ${message}`)
    .join('; ');
}
