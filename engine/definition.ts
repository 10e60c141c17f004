/**
 * The definition surface: what a workflow file may import from the engine. A workflow is a plain XState v5 machine
 * with a name, a version, the shape of its input and the signals outsiders may send.
 */
import type { AnyStateMachine, ContextFrom, EventFromLogic, InputFrom, OutputFrom, StateValue } from 'xstate';
import type { z } from 'zod';

/** What happens to a signal that the current state cannot take. */
export type WhenNotAccepted = 'defer' | 'reject' | 'ignore';

/** One signal: `payload` is an object schema whose fields are the machine event's own fields beside `type`. */
export interface SignalContract<Payload extends z.ZodObject = z.ZodObject> {
  readonly payload: Payload;
  /** Default `defer`: kept in order, applied by the first state that can take it. */
  readonly whenNotAccepted?: WhenNotAccepted;
  /** Sentence shown to staff beside the button that sends it. */
  readonly description?: string;
}

export type SignalContracts = Readonly<Record<string, SignalContract>>;

/** A signal is named like an event of the machine. */
type SignalsFor<Machine extends AnyStateMachine, Signals> = {
  readonly [Type in keyof Signals]: Type extends EventFromLogic<Machine>['type'] ? SignalContract : never;
};

/** An instance of the version before, as `migrate` sees it. */
export interface OldInstance {
  /** As stored: references to actors are data, and stay what they are where they are copied. */
  readonly context: unknown;
  readonly value: StateValue;
  /** Dotted paths of the active states, outermost first. */
  readonly states: readonly string[];
}

export interface MigratedInstance<Context> {
  readonly context: Context;
  /** New names of states by their old ones, as dotted paths; what is below a renamed state moves with it. */
  readonly states?: Readonly<Record<string, string>>;
}

export interface WorkflowOptions<
  Name extends string,
  Machine extends AnyStateMachine,
  Signals extends SignalContracts | undefined,
> {
  readonly name: Name;
  /** A whole number from 1 up. Instances are pinned to it. */
  readonly version?: number;
  /** One line for staff. */
  readonly title?: string;
  readonly machine: Machine;
  /** Parses what `start` is given; its output is the machine's input. */
  readonly input?: z.ZodType;
  /**
   * The signals outsiders may send. Left out, every event type but `xstate.*` is taken, unchecked, and one that the
   * state does not handle is ignored, as XState's own actor does.
   */
  readonly signals?: Signals & SignalsFor<Machine, Signals>;
  /** Keys under which outsiders may signal an instance whose id they do not know, e.g. `tenant:6f0c…`. */
  readonly correlationKeys?: (context: ContextFrom<Machine>) => readonly string[];
  /** Short name of the subject, shown in lists (the end customer's name). */
  readonly subject?: (context: ContextFrom<Machine>) => string;
  /** What an instance holds; checked before a deploy and when one is migrated to this version. */
  readonly context?: z.ZodType;
  /**
   * Takes a live instance of version N-1 to this version N. Pure. The instance stays where it is: no state is left or
   * entered, and what runs in its states (activities, timers, children) runs on.
   */
  readonly migrate?: (old: OldInstance) => MigratedInstance<ContextFrom<Machine>>;
  /** Event sent on cancel where the current state accepts it, so that the statechart can compensate. */
  readonly cancelEvent?: EventFromLogic<Machine>['type'];
}

/** A versioned definition: statechart, input schema, signals. */
export interface Workflow<
  Name extends string = string,
  Machine extends AnyStateMachine = AnyStateMachine,
  Signals = SignalContracts | undefined,
> {
  readonly name: Name;
  readonly version: number;
  readonly title: string;
  readonly machine: Machine;
  readonly input: z.ZodType | undefined;
  readonly signals: Signals;
  correlationKeys(context: ContextFrom<Machine>): readonly string[];
  subject(context: ContextFrom<Machine>): string | null;
  readonly cancelEvent: string | undefined;
  readonly context: z.ZodType | undefined;
  readonly migrate: ((old: OldInstance) => MigratedInstance<ContextFrom<Machine>>) | undefined;
}

export type AnyWorkflow = Workflow<string, AnyStateMachine, SignalContracts | undefined>;

export function defineWorkflow<
  const Name extends string,
  Machine extends AnyStateMachine,
  const Signals extends SignalContracts | undefined = undefined,
>(options: WorkflowOptions<Name, Machine, Signals>): Workflow<Name, Machine, Signals> {
  return {
    name: options.name,
    version: options.version ?? 1,
    title: options.title ?? options.name,
    machine: options.machine,
    input: options.input,
    signals: options.signals as Signals,
    correlationKeys: options.correlationKeys ?? (() => []),
    subject: options.subject ?? (() => null),
    cancelEvent: options.cancelEvent,
    context: options.context,
    migrate: options.migrate,
  };
}

export type InputOf<W extends AnyWorkflow> = InputFrom<W['machine']>;
export type ContextOf<W extends AnyWorkflow> = ContextFrom<W['machine']>;
export type OutputOf<W extends AnyWorkflow> = OutputFrom<W['machine']>;
/** Names `signal` takes for this workflow: the declared ones, or any event type of the machine. */
export type SignalName<W extends AnyWorkflow> =
  W['signals'] extends Readonly<Record<string, SignalContract>>
    ? keyof W['signals'] & string
    : Exclude<EventFromLogic<W['machine']>['type'], `xstate.${string}`>;
/** What `signal` takes as payload for that name. */
export type SignalPayload<W extends AnyWorkflow, Type extends string> = W['signals'] extends {
  readonly [K in Type]: { readonly payload: infer P extends z.ZodType };
}
  ? z.input<P>
  : Omit<Extract<EventFromLogic<W['machine']>, { type: Type }>, 'type'>;

/** What a state's `meta` may hold; read by the dashboard, the API's task list and the generated docs. */
export interface StateMeta {
  /**
   * The sentence staff read while an instance is in this state. `{name}` is replaced from the context (dotted paths
   * allowed), `{day}` by the day in this state, counted from 1.
   */
  readonly description: string;
  /** Who must move next. */
  readonly waitingOn?: 'customer' | 'operator' | 'microsoft' | 'engineer' | 'us';
  /** A human task: open while the instance is in this state. */
  readonly task?: HumanTask;
}

export interface HumanTask {
  readonly id: string;
  readonly title: string;
  readonly instructions: string;
  readonly responsible: Responsible;
  /** Each action is a signal of this workflow. */
  readonly actions: readonly TaskAction[];
  /** Context fields (dotted paths) shown with the task, by label. */
  readonly shows?: Readonly<Record<string, string>>;
  /** Dotted path of a duration in the context, ms: the task is due so long after it opened. */
  readonly due?: string;
  /** Who looks after it once it is overdue. */
  readonly escalatesTo?: Responsible;
  /** How "done" is judged: read again through an API, or believed from a person's evidence, and what exactly. */
  readonly verify?: { readonly how: 'api' | 'attested'; readonly by: string };
  /** Fields of the answers that hold the evidence. */
  readonly evidence?: readonly string[];
  /** An offer: nothing waits for it, so it is never overdue. */
  readonly optional?: boolean;
  /** The sealed secret of this instance that the task hands over. */
  readonly reveals?: string;
}

export type Responsible = 'operator' | 'approver' | 'engineer' | 'customer';

export interface TaskAction {
  readonly name: 'approve' | 'reject' | 'complete' | (string & {});
  readonly label: string;
  readonly signal: string;
  /** Whether the signal's payload needs a `reason`. */
  readonly reasonRequired?: boolean;
}
