/** What is known of workflows at run time: their forms, their signals, and which signals are an approver's to send. */
import { z } from 'zod';
import type { AnyWorkflow, HumanTask, InstanceView, Registry, StateMeta } from '../engine/index.ts';
import { AppError } from '../shared/errors.ts';

export interface WorkflowForm {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly input: unknown;
  readonly signals: readonly {
    readonly type: string;
    readonly description: string | null;
    readonly whenNotAccepted: 'defer' | 'reject' | 'ignore';
    readonly payload: unknown;
  }[];
}

export interface Catalogue {
  /** Those that may be started, newest version of each. */
  readonly startable: readonly WorkflowForm[];
  form(name: string): WorkflowForm;
  /** Raises `workflow-unknown` for one that is unknown or not for starting. */
  startableWorkflow(name: string): AnyWorkflow;
  /** JSON Schema of a signal's payload without `by`, which the API fills in; null for a workflow without declared signals. */
  fields(view: InstanceView, signal: string): JsonSchema | null;
  /** Whether the signal's payload says who sent it. */
  takesBy(view: InstanceView, signal: string): boolean;
  /** The task as its statechart declares it. */
  task(view: InstanceView, taskId: string): HumanTask | undefined;
  /** Signals that only tasks for approvers offer. */
  approverSignals(view: InstanceView): ReadonlySet<string>;
}

export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly [key: string]: unknown;
}

interface Node {
  readonly meta?: unknown;
  readonly states: Readonly<Record<string, Node>>;
}

export function createCatalogue(registry: Registry, startable: readonly AnyWorkflow[]): Catalogue {
  const newest = new Map<string, AnyWorkflow>();
  for (const workflow of startable)
    if ((newest.get(workflow.name)?.version ?? 0) < workflow.version) newest.set(workflow.name, workflow);
  const forms = new Map([...newest].map(([name, workflow]) => [name, formOf(workflow)]));
  const fieldsBySchema = new WeakMap<z.ZodType, JsonSchema>();
  const tasksByMachine = new WeakMap<object, readonly HumanTask[]>();

  const definitionOf = (view: InstanceView) =>
    registry.find(view.version === null ? view.workflow : `${view.workflow}@${view.version}`);

  function payloadOf(view: InstanceView, signal: string): z.ZodObject | null {
    const signals = definitionOf(view)?.workflow?.signals;
    return signals !== undefined && Object.hasOwn(signals, signal)
      ? (signals[signal]?.payload ?? null)
      : null;
  }

  function tasksOf(view: InstanceView): readonly HumanTask[] {
    const machine = definitionOf(view)?.source;
    if (machine === undefined) return [];
    const known = tasksByMachine.get(machine) ?? collectTasks(machine.root);
    tasksByMachine.set(machine, known);
    return known;
  }

  return {
    startable: [...forms.values()],
    form(name) {
      const form = forms.get(name);
      if (form === undefined) throw unknownWorkflow(name);
      return form;
    },
    startableWorkflow(name) {
      const workflow = newest.get(name);
      if (workflow === undefined) throw unknownWorkflow(name);
      return workflow;
    },
    fields(view, signal) {
      const payload = payloadOf(view, signal);
      if (payload === null) return null;
      const known = fieldsBySchema.get(payload) ?? withoutBy(jsonSchemaOf(payload));
      fieldsBySchema.set(payload, known);
      return known;
    },
    takesBy: (view, signal) => 'by' in (payloadOf(view, signal)?.shape ?? {}),
    task: (view, taskId) => tasksOf(view).find(({ id }) => id === taskId),
    approverSignals(view) {
      const signalsOf = (wanted: boolean) =>
        tasksOf(view)
          .filter(({ responsible }) => (responsible === 'approver') === wanted)
          .flatMap(({ actions }) => actions.map(({ signal }) => signal));
      const others = new Set(signalsOf(false));
      return new Set(signalsOf(true).filter((signal) => !others.has(signal)));
    },
  };
}

function unknownWorkflow(name: string): AppError {
  return new AppError('workflow-unknown', `There is no workflow '${name.slice(0, 100)}' to start.`, {
    details: { workflow: name.slice(0, 100) },
  });
}

function formOf(workflow: AnyWorkflow): WorkflowForm {
  return {
    name: workflow.name,
    version: workflow.version,
    title: workflow.title,
    input: workflow.input === undefined ? null : jsonSchemaOf(workflow.input),
    signals: Object.entries(workflow.signals ?? {}).map(([type, contract]) => ({
      type,
      description: contract.description ?? null,
      whenNotAccepted: contract.whenNotAccepted ?? 'defer',
      payload: withoutBy(jsonSchemaOf(contract.payload)),
    })),
  };
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const { $schema: _, '~standard': __, ...rest } = json;
  return rest;
}

function withoutBy(schema: JsonSchema): JsonSchema {
  const { by: _, ...properties } = schema.properties ?? {};
  return { ...schema, properties };
}

function collectTasks(node: Node): readonly HumanTask[] {
  const { task } = (node.meta ?? {}) as Partial<StateMeta>;
  return [...(task === undefined ? [] : [task]), ...Object.values(node.states).flatMap(collectTasks)];
}
