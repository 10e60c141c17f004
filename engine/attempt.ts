/**
 * One attempt of one activity: parse, verify if the last attempt's outcome is unknown, run under a deadline, and turn
 * whatever happens into an outcome. Who may run it, and what the outcome does, is decided elsewhere.
 */
import { ActivityFailure, type FailureKind, isAppError, messageOf } from '../shared/errors.ts';
import { uuidFrom } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { ActivityContext, ActivityImplementation, Verification } from './activity.ts';
import { promiseCreatorOf } from './actor-logic.ts';
import type { Cancellation } from './cancellation.ts';
import { errorToData, storable } from './codec.ts';
import type { OpenInstance } from './engine.ts';
import type { Failure } from './event.ts';
import type { ActivityState } from './record.ts';
import { type ActorDefinition, limitsOf, type Registry } from './registry.ts';

export type Outcome =
  | { readonly kind: 'done'; readonly output: unknown; readonly secrets: ReadonlyMap<string, string> }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly pausesQueue?: string };

/** Implementations by activity name. */
export type Implementations = ReadonlyMap<string, ActivityImplementation>;

export interface AttemptOptions {
  readonly registry: Registry;
  readonly implementations: Implementations;
  readonly open: OpenInstance;
  readonly token: string;
  readonly progress: unknown;
  /** Ended by cancel, lost lease and shutdown, and by the attempt's own deadline. */
  readonly cancellation: Cancellation;
  readonly log: Logger;
  heartbeat(progress: unknown): Promise<void>;
  /** Awaited before an activity with a `verify` does anything: that it was begun must not be forgotten. */
  readonly beforeEffect?: () => Promise<void>;
  /** Calls back after `ms`; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

export function implementationMap(list: readonly ActivityImplementation[]): Implementations {
  return new Map(list.map((implementation) => [implementation.contract.name, implementation]));
}

export async function runAttempt(options: AttemptOptions): Promise<Outcome> {
  const { registry, open, token, cancellation } = options;
  const activity = open.record.activities[token];
  if (activity === undefined) return failed('unexpected', 'internal', `no activity ${token}`);
  const actor = registry.actor(open.definition, activity.src);
  const limits = limitsOf(actor);
  const secrets = new Map<string, string>();
  const deadline = startDeadline(options, limits.timeoutMs, limits.heartbeatMs);
  try {
    const output = await untilCanceled(
      perform({ ...options, heartbeat: deadline.heartbeat }, actor, activity, secrets),
      cancellation,
    );
    return { kind: 'done', output, secrets };
  } catch (error) {
    return outcomeOf(error, cancellation, actor);
  } finally {
    deadline.clear();
  }
}

/** The work's end, or its cancellation, whichever comes first; work that does not heed its signal is left behind. */
function untilCanceled<Value>(work: Promise<Value>, cancellation: Cancellation): Promise<Value> {
  return new Promise((resolve, reject) => {
    cancellation.onAbort(reject);
    work.then(resolve, reject);
  });
}

async function perform(
  options: AttemptOptions,
  actor: ActorDefinition,
  activity: ActivityState,
  secrets: Map<string, string>,
): Promise<unknown> {
  if (actor.kind !== 'activity')
    throw new ActivityFailure('unexpected', 'internal', `'${activity.src}' is no activity`);
  const implementation = options.implementations.get(actor.name);
  if (implementation === undefined) {
    const run = promiseCreatorOf(actor.logic);
    const { cancellation } = options;
    return run({
      input: activity.input,
      get signal() {
        return cancellation.signal;
      },
      system: {},
      self: { id: activity.actorId },
      emit: () => {},
    });
  }
  const input = parse(implementation.contract.input, activity.input, 'activity-input-invalid');
  const context = contextOf(options, activity, secrets);
  if (implementation.verify !== undefined) await options.beforeEffect?.().catch(notBegun);
  if (activity.unverified && implementation.verify !== undefined) {
    const found: Verification<unknown> = await implementation.verify(input, context).catch(stillUnknown);
    if (found.outcome === 'unknown') throw new ActivityFailure('unknown', 'outcome-unknown', found.reason);
    if (found.outcome === 'done')
      return parse(implementation.contract.output, found.output, 'activity-output-invalid');
  }
  return parse(
    implementation.contract.output,
    await implementation.run(input, context),
    'activity-output-invalid',
  );
}

function notBegun(error: unknown): never {
  throw new ActivityFailure('retryable', 'store-unavailable', messageOf(error), { cause: error });
}

/** A look-up that fails says nothing about the attempt before it: nothing may run before one succeeds. */
function stillUnknown(error: unknown): never {
  if (!(error instanceof ActivityFailure))
    throw new ActivityFailure('unknown', 'outcome-unknown', messageOf(error));
  const { code, message, details, retryAfterMs, pausesQueue } = error;
  throw new ActivityFailure('unknown', code, message, {
    details,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(pausesQueue === undefined ? {} : { pausesQueue }),
  });
}

/** What costs something to make is made when it is first looked at. */
function contextOf(
  options: AttemptOptions,
  activity: ActivityState,
  secrets: Map<string, string>,
): ActivityContext {
  const { open, token, cancellation } = options;
  const instanceId = open.record.id;
  let log: Logger | undefined;
  return {
    instanceId,
    token,
    attempt: activity.attempt,
    get idempotencyKey() {
      return uuidFrom(instanceId, token, activity.answers);
    },
    get correlationId() {
      return uuidFrom(instanceId, token);
    },
    get signal() {
      return cancellation.signal;
    },
    lossSince: open.record.rewound?.since ?? null,
    progress: options.progress,
    heartbeat: options.heartbeat,
    seal: (name, plaintext) => secrets.set(name, plaintext),
    get log() {
      log ??= options.log.child({ instanceId, activity: activity.src, attempt: activity.attempt });
      return log;
    },
  };
}

interface Schema {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: unknown }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}

/** Our own bad input is terminal; an output out of shape was foreseen by nobody. */
function parse(
  schema: Schema,
  value: unknown,
  code: 'activity-input-invalid' | 'activity-output-invalid',
): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({
    pointer: `/${path.map(String).join('/')}`,
    message,
  }));
  const kind = code === 'activity-input-invalid' ? 'terminal' : 'unexpected';
  throw new ActivityFailure(
    kind,
    code,
    issues.map(({ pointer, message }) => `${pointer}: ${message}`).join('; '),
    { details: { issues } },
  );
}

const TIMED_OUT = Symbol('timed out');

/** Cancels the attempt at its timeout and on silence longer than `silenceMs`. */
function startDeadline(
  { cancellation, after, heartbeat }: AttemptOptions,
  ms: number,
  silenceMs: number | undefined,
) {
  const timeOut = (): void => cancellation.abort(TIMED_OUT);
  const listen = (): (() => void) | undefined =>
    silenceMs === undefined ? undefined : after(silenceMs, timeOut);
  const cancel = after(ms, timeOut);
  let cancelSilence = listen();
  return {
    async heartbeat(progress: unknown): Promise<void> {
      cancelSilence?.();
      cancelSilence = listen();
      await heartbeat(progress);
    },
    clear(): void {
      cancel();
      cancelSilence?.();
    },
  };
}

function outcomeOf(error: unknown, cancellation: Cancellation, actor: ActorDefinition): Outcome {
  if (cancellation.aborted && cancellation.reason === TIMED_OUT)
    return failed('unknown', 'activity-timeout', 'The attempt ran out of time.');
  if (cancellation.aborted) return failed('unknown', 'activity-aborted', 'The attempt was aborted.');
  if (error instanceof ActivityFailure) {
    const { kind, code, message, details, retryAfterMs, pausesQueue } = error;
    const failure: Failure = {
      kind,
      code,
      message,
      details: storable(details) === details ? details : {},
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    return { kind: 'failed', failure, ...(pausesQueue === undefined ? {} : { pausesQueue }) };
  }
  if (actor.kind === 'activity' && actor.contract === null) {
    const raw = errorToData(error);
    return {
      kind: 'failed',
      failure: { kind: 'terminal', code: 'activity-unexpected', message: messageOf(error), raw },
    };
  }
  return failed('unexpected', isAppError(error) ? error.code : 'activity-unexpected', messageOf(error));
}

function failed(kind: FailureKind, code: string, message: string): Outcome {
  return { kind: 'failed', failure: { kind, code, message } };
}
