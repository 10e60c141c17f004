/** Every event `decide` can consume. The set is closed: a new member makes the compiler name each place to change. */
import type { JsonObject } from '../shared/errors.ts';
import type {
  ActivityState,
  InboxItem,
  InstanceRecord,
  MachineState,
  Quarantined,
  Rewound,
  TimerState,
} from './record.ts';

/** A machine event: a type and its fields. */
export interface MachineEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Who asked, for the history: a person, an API key, a webhook, the engine itself. */
export interface Actor {
  readonly kind: 'person' | 'api-key' | 'webhook' | 'mail' | 'system';
  readonly id: string;
}

/** The failure of one attempt, as data. */
export interface Failure {
  readonly kind: 'terminal' | 'retryable' | 'unknown' | 'unexpected';
  readonly code: string;
  readonly message: string;
  readonly details?: JsonObject;
  readonly retryAfterMs?: number;
  /** The thrown value itself where it was not an Error; the statechart then sees exactly it. */
  readonly raw?: unknown;
}

/** Where an instance hangs in a tree of instances. */
export interface ParentLink {
  readonly instanceId: string;
  /** The parent's incarnation token of this child. */
  readonly token: string;
  /** The child's actor id in the parent's machine. */
  readonly actorId: string;
}

export type EngineEvent =
  | {
      readonly kind: 'start';
      readonly definition: string;
      readonly input: unknown;
      readonly parent?: ParentLink;
      readonly labels?: Readonly<Record<string, string>>;
      readonly idempotencyHash?: string;
      /** Begun by an instance that has it. */
      readonly rewound?: Rewound;
    }
  /** Begins an instance as another one was after a revision of its past. */
  | {
      readonly kind: 'fork';
      readonly definition: string;
      readonly from: { readonly instanceId: string; readonly revision: number };
      readonly past: InstanceRecord;
      /** How the children that were live then were started; they begin anew. */
      readonly children: readonly ForkedChild[];
    }
  | { readonly kind: 'signal'; readonly id: string; readonly event: MachineEvent }
  | {
      readonly kind: 'activity.done';
      readonly token: string;
      readonly attempt: number;
      readonly output: unknown;
      readonly secrets?: readonly string[];
    }
  | {
      readonly kind: 'activity.failed';
      readonly token: string;
      readonly attempt: number;
      readonly failure: Failure;
      readonly jitter: number;
    }
  | {
      readonly kind: 'activity.lost';
      readonly token: string;
      readonly attempt: number;
      readonly why: string;
      readonly jitter: number;
    }
  | { readonly kind: 'timer.fired'; readonly token: string }
  /** The store that held this instance was set back and taken on. */
  | ({ readonly kind: 'rewound' } & Rewound)
  | {
      readonly kind: 'child.message';
      readonly token: string;
      readonly seq: number;
      readonly event: MachineEvent;
    }
  | { readonly kind: 'child.done'; readonly token: string; readonly seq: number; readonly output: unknown }
  | { readonly kind: 'child.failed'; readonly token: string; readonly seq: number; readonly error: unknown }
  | { readonly kind: 'parent.message'; readonly seq: number; readonly event: MachineEvent }
  | { readonly kind: 'parent.stop'; readonly seq: number }
  | {
      readonly kind: 'peer.message';
      readonly from: string;
      readonly seq: number;
      readonly event: MachineEvent;
    }
  | OperatorEvent;

export interface ForkedChild {
  /** The token it had in the past of the other instance. */
  readonly token: string;
  readonly definition: string;
  readonly input: unknown;
}

/** What operations staff may do to an instance. Each is in the history with actor and reason. */
export type OperatorEvent =
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'cancel'; readonly force: boolean }
  /** Tries again what is waiting for another try, on the attention list or in quarantine. */
  | { readonly kind: 'retry'; readonly token?: string }
  | { readonly kind: 'complete-activity'; readonly token: string; readonly output: unknown }
  | { readonly kind: 'fail-activity'; readonly token: string; readonly failure: Failure }
  | { readonly kind: 'edit-context'; readonly changes: JsonObject }
  /** Leaves the present state and enters this one, with everything that leaving and entering do. */
  | { readonly kind: 'move'; readonly to: string }
  /** The same into a state that was entered before; also opens a failed instance again. */
  | { readonly kind: 'retry-from'; readonly state: string }
  /** To another version, in place; or back again. Holds what `migrate` made and what was there before. */
  | {
      readonly kind: 'migrate';
      readonly to: string;
      readonly undo: boolean;
      readonly machine: MachineState;
      readonly entered: InstanceRecord['entered'];
      readonly activities: Readonly<Record<string, ActivityState>>;
      readonly timers: Readonly<Record<string, TimerState>>;
      /** Left out by earlier releases, as `quarantine` is: then they stay as they are. */
      readonly inbox?: readonly InboxItem[];
      readonly quarantine?: readonly Quarantined[];
      readonly before: InstanceRecord;
    }
  | { readonly kind: 'dismiss-attention' }
  | { readonly kind: 'secret.revealed'; readonly name: string };

/** An event with its circumstances. */
export interface Envelope {
  readonly event: EngineEvent;
  readonly by?: Actor;
  readonly reason?: string;
}
