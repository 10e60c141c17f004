/**
 * One attempt of one activity: parse, verify if the last attempt's outcome is unknown, run under a deadline, and turn
 * whatever happens into an outcome. Who may run it, and what the outcome does, is decided elsewhere.
 */
import { ActivityFailure, type FailureKind, isAppError, messageOf } from '../shared/errors.ts';
import { uuidFrom } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { ActivityContext, ActivityImplementation, Verification } from './activity.ts';
import { promiseCreatorOf } from './actor-logic.ts';
import { errorToData } from './codec.ts';
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
  /** Aborted by cancel, lost lease and shutdown. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  heartbeat(progress: unknown): Promise<void>;
  /** Calls back after `ms`; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

export function implementationMap(list: readonly ActivityImplementation[]): Implementations {
  return new Map(list.map((implementation) => [implementation.contract.name, implementation]));
}

export async function runAttempt(options: AttemptOptions): Promise<Outcome> {
  const { registry, open, token } = options;
  const activity = open.record.activities[token];
  if (activity === undefined) return failed('unexpected', 'internal', `no activity ${token}`);
  const actor = registry.actor(open.definition, activity.src);
  const limits = limitsOf(actor);
  const deadline = withDeadline(options, limits.timeoutMs, limits.heartbeatMs);
  const secrets = new Map<string, string>();
  try {
    const output = await Promise.race([
      perform({ ...options, heartbeat: deadline.heartbeat }, actor, activity, deadline.signal, secrets),
      deadline.expired,
    ]);
    return { kind: 'done', output, secrets };
  } catch (error) {
    return outcomeOf(error, deadline.signal, actor);
  } finally {
    deadline.clear();
  }
}

async function perform(
  options: AttemptOptions,
  actor: ActorDefinition,
  activity: ActivityState,
  signal: AbortSignal,
  secrets: Map<string, string>,
): Promise<unknown> {
  if (actor.kind !== 'activity')
    throw new ActivityFailure('unexpected', 'internal', `'${activity.src}' is no activity`);
  const implementation = options.implementations.get(actor.name);
  if (implementation === undefined) {
    const run = promiseCreatorOf(actor.logic);
    return run({ input: activity.input, signal, system: {}, self: { id: activity.actorId }, emit: () => {} });
  }
  const input = parse(implementation.contract.input, activity.input, 'activity-input-invalid');
  const context = contextOf(options, activity, signal, secrets);
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

function contextOf(
  options: AttemptOptions,
  activity: ActivityState,
  signal: AbortSignal,
  secrets: Map<string, string>,
): ActivityContext {
  const { open, token } = options;
  const instanceId = open.record.id;
  return {
    instanceId,
    token,
    attempt: activity.attempt,
    idempotencyKey: uuidFrom(instanceId, token, activity.answers),
    correlationId: uuidFrom(instanceId, token),
    signal,
    progress: options.progress,
    heartbeat: options.heartbeat,
    seal: (name, plaintext) => secrets.set(name, plaintext),
    log: options.log.child({ instanceId, activity: activity.src, attempt: activity.attempt }),
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

/** Ends the attempt at its timeout, on silence longer than `silenceMs`, and when the outer signal says so. */
function withDeadline(
  { signal: outer, after, heartbeat }: AttemptOptions,
  ms: number,
  silenceMs: number | undefined,
) {
  const controller = new AbortController();
  let reject: (error: unknown) => void = () => {};
  const expired = new Promise<never>((_, no) => {
    reject = no;
  });
  expired.catch(() => {});
  const stop = (reason: unknown): void => {
    controller.abort(reason);
    reject(reason);
  };
  const listen = (): (() => void) =>
    silenceMs === undefined ? () => {} : after(silenceMs, () => stop(TIMED_OUT));
  const cancel = after(ms, () => stop(TIMED_OUT));
  let cancelSilence = listen();
  const onAbort = (): void => stop(outer.reason);
  if (outer.aborted) onAbort();
  outer.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    expired,
    async heartbeat(progress: unknown): Promise<void> {
      cancelSilence();
      cancelSilence = listen();
      await heartbeat(progress);
    },
    clear: () => {
      cancel();
      cancelSilence();
      outer.removeEventListener('abort', onAbort);
    },
  };
}

function outcomeOf(error: unknown, signal: AbortSignal, actor: ActorDefinition): Outcome {
  if (signal.aborted && signal.reason === TIMED_OUT)
    return failed('unknown', 'activity-timeout', 'The attempt ran out of time.');
  if (signal.aborted) return failed('unknown', 'activity-aborted', 'The attempt was aborted.');
  if (error instanceof ActivityFailure) {
    const { kind, code, message, details, retryAfterMs, pausesQueue } = error;
    const failure: Failure = {
      kind,
      code,
      message,
      details,
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
