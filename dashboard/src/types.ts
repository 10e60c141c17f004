/** What the API answers with, as far as this page reads it; the full form is in /openapi.json. */

export type Status = 'running' | 'paused' | 'completed' | 'failed' | 'canceled';
export type Role = 'viewer' | 'operator' | 'approver' | 'admin' | 'auditor';

export interface Session {
  readonly signedIn: boolean;
  readonly name: string | null;
  readonly role: Role | null;
  readonly demo: boolean;
}

export interface Attention {
  readonly code: string;
  readonly message: string;
  readonly at: string;
}

export interface Summary {
  readonly id: string;
  readonly rootId: string;
  readonly workflow: string;
  readonly title: string;
  readonly subject: string | null;
  readonly revision: number;
  readonly status: Status;
  readonly sentence: string;
  readonly waitingOn: string | null;
  readonly innermost: {
    readonly instanceId: string;
    readonly sentence: string;
    readonly waitingOn: string | null;
  } | null;
  readonly attention: Attention | null;
  readonly rewound: { readonly since: string; readonly at: string } | null;
  readonly needs: { readonly attention: number; readonly tasks: number };
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly stateSince: string;
}

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface TaskAction {
  readonly name: string;
  readonly label: string;
  readonly signal: string;
  readonly reasonRequired: boolean;
  readonly fields: JsonSchema | null;
  readonly prefill: Readonly<Record<string, unknown>>;
}

export interface Task {
  readonly id: string;
  readonly instanceId: string;
  readonly rootId: string;
  readonly subject: string | null;
  readonly title: string;
  readonly instructions: string;
  readonly responsible: string;
  readonly shows: Readonly<Record<string, unknown>>;
  readonly since: string;
  /** Null for one that nothing waits for. */
  readonly dueAt: string | null;
  readonly escalatesTo: string | null;
  readonly verify: { readonly how: 'api' | 'attested'; readonly by: string } | null;
  readonly evidence: readonly string[];
  readonly optional: boolean;
  /** The secret this task hands over; null for none. */
  readonly reveals: string | null;
  readonly actions: readonly TaskAction[];
}

export interface Activity {
  readonly token: string;
  readonly name: string;
  readonly description: string;
  readonly phase: 'open' | 'waiting-retry' | 'attention' | 'held';
  readonly attempt: number;
  readonly maxAttempts: number | null;
  readonly lastFailure: { readonly code: string; readonly message: string; readonly at: string } | null;
}

export interface Instance extends Summary {
  readonly states: readonly { readonly id: string; readonly sentence: string }[];
  readonly activities: readonly Activity[];
  readonly timers: readonly { readonly token: string; readonly event: string; readonly fireAt: string }[];
  readonly tasks: readonly Task[];
  readonly context: unknown;
  readonly output: unknown;
  readonly error: unknown;
  readonly children: readonly {
    readonly actorId: string;
    readonly instanceId: string;
    readonly instance: Instance | null;
  }[];
}

export interface StartedChild {
  readonly actorId: string;
  readonly instanceId: string;
}

export interface BatchReport {
  readonly matched: number;
  readonly done: number;
  /** Done before, under the same id. */
  readonly before: number;
  readonly refused: readonly {
    readonly instanceId: string;
    readonly code: string;
    readonly message: string;
  }[];
}

export interface HistoryLine {
  readonly instanceId: string;
  readonly workflow: string;
  readonly revision: number;
  readonly at: string;
  readonly kind: string;
  readonly words: string;
  readonly by: { readonly kind: string; readonly id: string } | null;
  readonly reason: string | null;
}

export interface Workflow {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly input: JsonSchema | null;
  readonly signals: readonly { readonly type: string; readonly description: string | null }[];
}

export interface ChartState {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** With `{names}` where an instance's data go. */
  readonly sentence: string | null;
  readonly isInitial: boolean;
  readonly leadsTo: readonly { readonly on: string; readonly to: readonly string[] }[];
  readonly states: readonly ChartState[];
}

export interface Preview {
  readonly status: 'applied' | 'deferred' | 'impossible';
  readonly detail: string | null;
  readonly before: { readonly state: unknown; readonly status: string; readonly revision: number } | null;
  readonly after: { readonly state: unknown; readonly status: string } | null;
  readonly effects: readonly {
    readonly type: string;
    readonly activity?: string;
    readonly definition?: string;
    readonly actorId?: string;
    readonly action?: string;
    readonly code?: string;
    readonly event?: string | { readonly type: string };
    readonly fireAt?: string;
    readonly mayRun?: boolean;
  }[];
}

export interface FoundPath {
  readonly instanceId: string;
  readonly domain: string;
  /** The workflow proposed; null when it is not known. */
  readonly path: string | null;
  readonly why: string;
  readonly tenantId: string | null;
  readonly tenantName: string | null;
}

export interface MailShown {
  readonly subject: string;
  readonly paragraphs: readonly (readonly (readonly {
    readonly text: string;
    readonly isLink: boolean;
  }[])[])[];
}

export interface Import {
  readonly dryRun: boolean;
  readonly instanceId: string | null;
  readonly rows: readonly {
    readonly line: number;
    readonly company: string;
    readonly path: string | null;
    readonly underWay: string | null;
  }[];
  readonly problems: readonly {
    readonly line: number;
    readonly field: string | null;
    readonly detail: string;
  }[];
}

/** A row of a list under way, in the context of the instance that follows it. */
export interface ListRow {
  readonly line: number;
  readonly name: string;
  readonly key: string;
  readonly path: string | null;
  readonly state: string;
  readonly why: string | null;
}

export interface UnmatchedSignal {
  readonly signalId: string;
  readonly key: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly at: string;
}

export interface PausedQueue {
  readonly queue: string;
  readonly code: string;
  readonly reason: string;
  readonly at: string;
}

export interface SignInLife {
  readonly renewedAt: string | null;
  readonly diesAt: string | null;
  readonly alarm: boolean;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}

export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly traceId: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export interface Readiness {
  readonly checks?: {
    readonly store: {
      readonly ok: boolean;
      readonly durable: boolean | null;
      readonly warnings: readonly string[];
    };
    readonly workers: { readonly ok: boolean; readonly count: number | null };
  };
}
