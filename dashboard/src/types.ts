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
  readonly title: string;
  readonly instructions: string;
  readonly responsible: string;
  readonly shows: Readonly<Record<string, unknown>>;
  readonly since: string;
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
  readonly output: unknown;
  readonly error: unknown;
  readonly children: readonly {
    readonly actorId: string;
    readonly instanceId: string;
    readonly instance: Instance | null;
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
