/**
 * Activities: a contract (what a statechart may ask for), a signature (what it invokes) and an implementation
 * (what a worker runs). Statecharts see contracts only, so they cannot do I/O even by accident.
 */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { z } from 'zod';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

/** How often and how far apart an activity is tried. All times in milliseconds. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Share of the delay that is random, 0 to 1. */
  readonly jitter: number;
  /** Failure codes that are never tried again. */
  readonly nonRetryable: readonly string[];
  /**
   * What happens when the attempts are used up: `error` sends the failure to the statechart, `attention` leaves the
   * activity open and puts the instance before a person. A terminal failure always goes to the statechart.
   */
  readonly whenExhausted: 'error' | 'attention';
}

export interface ActivityContract<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  readonly name: Name;
  readonly input: Input;
  readonly output: Output;
  /** Activities of one queue share workers and rate limits. Default `default`. */
  readonly queue: string;
  /** Longest an attempt may take before it is aborted and its outcome counts as unknown. */
  readonly timeoutMs: number;
  /** When set, an attempt that is silent for longer is aborted and its outcome counts as unknown. */
  readonly heartbeatMs: number | undefined;
  readonly retry: RetryPolicy;
  /** True when the activity changes the outside world: an implementation must then offer `verify`. */
  readonly effectful: boolean;
  /** Sentence shown to staff while it runs. */
  readonly description: string;
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 8,
  initialDelayMs: 1_000,
  factor: 2,
  maxDelayMs: 5 * 60_000,
  jitter: 0.2,
  nonRetryable: [],
  whenExhausted: 'attention',
};

export interface ActivityOptions<Name extends string, Input extends z.ZodType, Output extends z.ZodType> {
  readonly name: Name;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly queue?: string;
  readonly timeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly effectful?: boolean;
}

/** Declares an activity. Names are unique over all workflows of a process. */
export function defineActivity<Name extends string, Input extends z.ZodType, Output extends z.ZodType>(
  options: ActivityOptions<Name, Input, Output>,
): ActivityContract<Name, Input, Output> {
  return {
    name: options.name,
    description: options.description,
    input: options.input,
    output: options.output,
    queue: options.queue ?? 'default',
    timeoutMs: options.timeoutMs ?? 60_000,
    heartbeatMs: options.heartbeatMs,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    effectful: options.effectful ?? false,
  };
}

const contracts = new WeakMap<object, ActivityContract>();

/**
 * The signature of an activity, for `setup({ actors })`. It types the invoke's input, `onDone` output and nothing
 * else; run outside the engine it rejects with `activity-unimplemented`.
 */
export function activity<Input extends z.ZodType, Output extends z.ZodType>(
  contract: ActivityContract<string, Input, Output>,
): PromiseActorLogic<z.output<Output>, z.input<Input>> {
  const logic = fromPromise<z.output<Output>, z.input<Input>>(() =>
    Promise.reject(
      new AppError('activity-unimplemented', `Activity '${contract.name}' is a signature; a worker runs it.`),
    ),
  );
  contracts.set(logic, contract);
  return logic;
}

/** The contract behind a signature, or undefined for a plain promise actor. */
export function contractOf(logic: object): ActivityContract | undefined {
  return contracts.get(logic);
}

/** What an implementation is handed for one attempt. */
export interface ActivityContext {
  readonly instanceId: string;
  /** Token of this activity's incarnation; constant over its attempts. */
  readonly token: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /**
   * A UUID that stays the same while no answer was received and changes after every answer: the rule Microsoft gives
   * for `MS-RequestId`. Send it wherever the other side takes an idempotency key.
   */
  readonly idempotencyKey: string;
  /** Constant over the attempts: a UUID that groups the calls of this activity (`MS-CorrelationId`). */
  readonly correlationId: string;
  /**
   * Aborted on cancel, lost lease, timeout and shutdown. Read it where you change something, and not before: a process that
   * slept in between finds it aborted there, when others may be doing the same already.
   */
  readonly signal: AbortSignal;
  /**
   * Ms, set where the store lost what it had answered: from then on there may have been attempts, of this activity and of
   * one before it for the same purpose, that nobody remembers. What looks for their effect looks from here on.
   */
  readonly lossSince: number | null;
  /** What the last `heartbeat` of an earlier attempt stored, or null. */
  readonly progress: unknown;
  /** Stores progress durably; rejects with `activity-aborted` when the attempt no longer owns the activity. */
  heartbeat(progress: unknown): Promise<void>;
  /** Hands over a secret: it is sealed and committed with this activity's result, under `name`, and nowhere else. */
  seal(name: string, plaintext: string): void;
  readonly log: Logger;
}

/** What `verify` found out about an attempt whose outcome is unknown. */
export type Verification<Output> =
  | { readonly outcome: 'done'; readonly output: Output }
  | { readonly outcome: 'not-done' }
  | { readonly outcome: 'unknown'; readonly reason: string };

export interface ActivityImplementation<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  readonly contract: ActivityContract<string, Input, Output>;
  run(input: z.output<Input>, context: ActivityContext): Promise<z.input<Output>>;
  verify?(input: z.output<Input>, context: ActivityContext): Promise<Verification<z.input<Output>>>;
}

/** Binds an implementation to its contract; an effectful contract without `verify` does not pass. */
export function implementActivity<Input, Output>(
  contract: ActivityContract<string, z.ZodType<Input>, z.ZodType<unknown, Output>>,
  implementation: {
    run(input: Input, context: ActivityContext): Promise<Output>;
    verify?(input: Input, context: ActivityContext): Promise<Verification<Output>>;
  },
): ActivityImplementation {
  if (contract.effectful && implementation.verify === undefined) {
    throw new AppError(
      'activity-unimplemented',
      `Activity '${contract.name}' changes the outside world and has no verify.`,
      {
        details: { activity: contract.name },
      },
    );
  }
  return { contract, ...implementation } as unknown as ActivityImplementation;
}
