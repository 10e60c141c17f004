/**
 * The durable record of an instance: XState's part (`machine`) and the engine's own (tokens, timers, inbox).
 * Everything here is immutable; `decide` makes a new one.
 */
import type { StateValue } from 'xstate';
import type { Actor, MachineEvent, ParentLink } from './event.ts';

export type InstanceStatus = 'running' | 'paused' | 'completed' | 'failed' | 'canceled';

/** XState's snapshot without live references. */
export interface MachineState {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: StateValue;
  readonly context: unknown;
  readonly historyValue?: Readonly<Record<string, readonly { readonly id: string }[]>>;
  readonly output?: unknown;
  readonly error?: unknown;
  /** Actors in `snapshot.children`, by actor id. */
  readonly children?: Readonly<Record<string, { readonly src: string; readonly systemId?: string }>>;
}

/** A live activity, by token. */
export interface ActivityState {
  readonly actorId: string;
  readonly src: string;
  readonly queue: string;
  readonly input?: unknown;
  /** The attempt that runs or will run next, from 1; a result must present it. */
  readonly attempt: number;
  /** `open`: in the outbox, in a queue or claimed. */
  readonly phase: 'open' | 'waiting-retry' | 'attention' | 'held';
  /** Counts the answers received, so that the idempotency key changes after each (and only then). */
  readonly answers: number;
  /** The last attempt ended without an answer: `verify` comes first. */
  readonly unverified: boolean;
  readonly lastFailure?: {
    readonly kind: string;
    readonly code: string;
    readonly message: string;
    readonly at: number;
  };
  /** Attempt at which the retry budget last started (an operator's retry starts it anew). */
  readonly budgetFrom: number;
  /** Another actor took the id over: it runs on, but stopping or addressing the id no longer means this one. */
  readonly orphan?: true;
}

/** A live timer, by token. */
export interface TimerState {
  /** XState's send id. */
  readonly id?: string;
  /** Another timer took the id over, or fired under it: this one still fires, but `cancel` no longer finds it. */
  readonly orphan?: true;
  readonly fireAt: number;
  readonly purpose: 'machine' | 'retry';
  /** Machine timers: what to deliver, and to which actor where not to the instance itself. */
  readonly event?: MachineEvent;
  readonly to?: { readonly id: string; readonly address: string | null };
  /** Retry timers: the activity's token. */
  readonly activity?: string;
}

/** A live child instance, by token. `sent` and `received` number the messages of the channel. */
export interface ChildState {
  readonly actorId: string;
  readonly src: string;
  readonly instanceId: string;
  readonly sent: number;
  readonly received: number;
  readonly orphan?: true;
}

/** Something that waits in the instance's inbox: a deferred signal, or anything that came while paused. */
export interface InboxItem {
  /** Signal id, or null for an engine event. */
  readonly signalId: string | null;
  readonly event: MachineEvent;
  readonly at: number;
  readonly by?: Actor;
  /** Token of the child that said it. */
  readonly from?: string;
}

export interface Quarantined {
  readonly event: MachineEvent;
  readonly error: { readonly name: string; readonly message: string };
  readonly at: number;
}

/** Why a person has to look. */
export interface Attention {
  readonly code:
    | 'poison-event'
    | 'activity-exhausted'
    | 'no-way-forward'
    | 'instance-failed'
    | 'message-undeliverable';
  readonly message: string;
  readonly at: number;
  readonly token?: string;
}

/** A store was taken on that had lost what it had answered: what this instance did from `since` on may be forgotten. */
export interface Rewound {
  /** Ms; before this nothing was lost. */
  readonly since: number;
  /** Ms; when an operator took the store on. */
  readonly at: number;
}

export interface InstanceRecord {
  readonly id: string;
  /** `name@version`, or `name@version/src/...` for an unregistered child machine. */
  readonly definition: string;
  readonly revision: number;
  readonly status: InstanceStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When the current state value was entered. */
  readonly stateSince: number;
  /** When each active state that counts days or asks a person was entered, by state id. */
  readonly entered: Readonly<Record<string, number>>;
  readonly machine: MachineState;
  readonly parent: (ParentLink & { readonly sent: number; readonly received: number }) | null;
  readonly peers: Readonly<Record<string, { readonly sent: number; readonly received: number }>>;
  readonly activities: Readonly<Record<string, ActivityState>>;
  readonly timers: Readonly<Record<string, TimerState>>;
  readonly children: Readonly<Record<string, ChildState>>;
  readonly inbox: readonly InboxItem[];
  readonly quarantine: readonly Quarantined[];
  readonly attention: Attention | null;
  /** Set once and for good: an activity begun under it looks first whether it was done before. */
  readonly rewound?: Rewound | undefined;
  readonly keys: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly subject: string | null;
  readonly idempotencyHash: string | null;
  /** Hash of the newest history entry. */
  readonly head: string;
}

/**
 * What a loss of the store makes of an instance, or null where it is marked with it already. Whatever was open may have
 * been done, and done with an answer, in the time that is lost: it is looked up before it runs. So is all that begins from
 * here on, for the instance comes by places where it may have been.
 */
export function afterLoss(
  { rewound: before, activities }: Pick<InstanceRecord, 'rewound' | 'activities'>,
  { since, at }: Rewound,
): Required<Pick<InstanceRecord, 'rewound' | 'activities'>> | null {
  if (before !== undefined && before.at >= at) return null;
  const doubted = Object.entries(activities).map(([token, one]) => [token, { ...one, unverified: true }]);
  return {
    rewound: { since: Math.min(since, before?.since ?? since), at },
    activities: Object.fromEntries(doubted),
  };
}

export function isClosed(status: InstanceStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'canceled';
}
