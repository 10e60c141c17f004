/**
 * The workflows a process knows, compiled once. A definition reference is `name@version`; a child machine that is not
 * registered as a workflow of its own is `name@version/src`, however deep.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { AppError } from '../shared/errors.ts';
import { type ActivityContract, contractOf, DEFAULT_RETRY, type RetryPolicy } from './activity.ts';
import { isMachine, kindOfLogic, logicOf, machineNodes } from './actor-logic.ts';
import type { AnyWorkflow } from './definition.ts';
import { assertDurable } from './durability.ts';
import { prepareMachine } from './xstate5.ts';

/** One machine, ready to be stepped. */
export interface Definition {
  readonly ref: string;
  readonly workflow: AnyWorkflow | null;
  /** Prepared for stepping. */
  readonly machine: AnyStateMachine;
  /** As written, with its own actor logics. */
  readonly source: AnyStateMachine;
}

export type ActorDefinition =
  | {
      readonly kind: 'activity';
      readonly name: string;
      readonly contract: ActivityContract | null;
      readonly logic: AnyActorLogic;
    }
  | { readonly kind: 'child'; readonly ref: string };

export interface Registry {
  readonly workflows: readonly AnyWorkflow[];
  /** The newest registered version; throws `workflow-unknown`. */
  newest(name: string): AnyWorkflow;
  /** Null when this process lacks the definition. */
  find(ref: string): Definition | null;
  /** Throws `workflow-version-missing`. */
  get(ref: string): Definition;
  actor(definition: Definition, src: string): ActorDefinition;
}

export function refOf(workflow: AnyWorkflow): string {
  return `${workflow.name}@${workflow.version}`;
}

/** Checks and compiles the workflows; throws `machine-not-durable` or `input-invalid` for a name used twice. */
export function createRegistry(workflows: readonly AnyWorkflow[]): Registry {
  const byRef = new Map<string, Definition>();
  const refOfMachine = new Map<AnyStateMachine, string>();
  for (const workflow of workflows) {
    const ref = refOf(workflow);
    if (byRef.has(ref)) throw new AppError('input-invalid', `The workflow '${ref}' is registered twice.`);
    assertDurable(ref, workflow.machine);
    byRef.set(ref, compile(ref, workflow.machine, workflow));
    refOfMachine.set(workflow.machine, ref);
  }

  function find(ref: string): Definition | null {
    const known = byRef.get(ref);
    if (known !== undefined) return known;
    const cut = ref.lastIndexOf('/');
    const parent = cut < 0 ? null : find(ref.slice(0, cut));
    if (parent === null) return null;
    const logic = logicOf(parent.source, decodeURIComponent(ref.slice(cut + 1)));
    if (logic === undefined || !isMachine(logic)) return null;
    const definition = compile(ref, logic, null);
    byRef.set(ref, definition);
    return definition;
  }

  const actors = new WeakMap<Definition, Map<string, ActorDefinition>>();
  return {
    workflows,
    find,
    get(ref) {
      const definition = find(ref);
      if (definition === null) {
        throw new AppError('workflow-version-missing', `This process lacks the workflow '${ref}'.`, {
          details: { definition: ref },
        });
      }
      return definition;
    },
    newest(name) {
      const versions = workflows
        .filter((workflow) => workflow.name === name)
        .sort((a, b) => b.version - a.version);
      if (versions[0] === undefined) {
        throw new AppError('workflow-unknown', `There is no workflow '${name}'.`, {
          details: { workflow: name, known: [...new Set(workflows.map((workflow) => workflow.name))] },
        });
      }
      return versions[0];
    },
    actor(definition, src) {
      const known = actors.get(definition) ?? new Map<string, ActorDefinition>();
      actors.set(definition, known);
      const actor = known.get(src) ?? resolveActor(definition, src, refOfMachine);
      known.set(src, actor);
      return actor;
    },
  };
}

function compile(ref: string, source: AnyStateMachine, workflow: AnyWorkflow | null): Definition {
  return { ref, workflow, source, machine: prepareMachine(source) };
}

function resolveActor(
  definition: Definition,
  src: string,
  refOfMachine: ReadonlyMap<AnyStateMachine, string>,
): ActorDefinition {
  const logic = logicOf(definition.source, src);
  if (logic !== undefined && isMachine(logic)) {
    return { kind: 'child', ref: refOfMachine.get(logic) ?? `${definition.ref}/${encodeURIComponent(src)}` };
  }
  if (logic === undefined || kindOfLogic(logic) !== 'promise') {
    throw new AppError('machine-not-durable', `The actor '${src}' of '${definition.ref}' is no activity.`, {
      details: { src },
    });
  }
  const contract = contractOf(logic) ?? null;
  return { kind: 'activity', name: contract?.name ?? src, contract, logic };
}

/**
 * A plain promise actor's rejection is terminal and goes to the statechart, as XState's own actor does; only an attempt
 * that was lost (a crash) is made again.
 */
const PLAIN_RETRY: RetryPolicy = {
  ...DEFAULT_RETRY,
  maxAttempts: 5,
  initialDelayMs: 100,
  whenExhausted: 'attention',
};

export interface ActivityLimits {
  readonly queue: string;
  readonly timeoutMs: number;
  readonly heartbeatMs: number | undefined;
  readonly retry: RetryPolicy;
}

const PLAIN_LIMITS: ActivityLimits = {
  queue: 'default',
  timeoutMs: 24 * 3_600_000,
  heartbeatMs: undefined,
  retry: PLAIN_RETRY,
};

export function limitsOf(actor: ActorDefinition): ActivityLimits {
  return actor.kind === 'activity' && actor.contract !== null ? actor.contract : PLAIN_LIMITS;
}

/** Every activity a definition and the unregistered child machines below it can ask for. */
export function activityActors(
  registry: Registry,
  definition: Definition,
  seen: Set<AnyStateMachine> = new Set(),
): readonly Extract<ActorDefinition, { kind: 'activity' }>[] {
  if (seen.has(definition.source)) return [];
  seen.add(definition.source);
  return sourcesOf(definition.source).flatMap((src) => {
    const kind = kindOfLogic(logicOf(definition.source, src));
    if (kind !== 'promise' && kind !== 'machine') return [];
    const actor = registry.actor(definition, src);
    return actor.kind === 'activity' ? [actor] : activityActors(registry, registry.get(actor.ref), seen);
  });
}

/** Named sources, and inline ones by their place. */
function sourcesOf(machine: AnyStateMachine): readonly string[] {
  const named = Object.keys(machine.implementations.actors);
  const inline = [...machineNodes(machine.root)].flatMap((node) => node.invoke.map(({ src }) => String(src)));
  return [...new Set([...named, ...inline])];
}
