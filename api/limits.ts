/** How often anybody may ask. In memory, so each API process counts for itself. */
import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, type Options, rateLimit } from 'express-rate-limit';
import { AppError } from '../shared/errors.ts';
import type { Caller } from './auth.ts';

export interface RateLimits {
  /** Requests of one key in ten seconds. */
  readonly perKey: number;
  /** Requests without a valid key from one address in ten seconds. */
  readonly perAddress: number;
  /** Failed sign-ins and wrong keys from one address in fifteen minutes. */
  readonly failures: number;
  /** Secrets one key may have shown in an hour. */
  readonly reveals: number;
  /** Webhook deliveries from one address in ten seconds. */
  readonly webhooks: number;
}

export const DEFAULT_LIMITS: RateLimits = {
  perKey: 400,
  perAddress: 100,
  failures: 20,
  reveals: 10,
  webhooks: 300,
};

export interface Limiters {
  readonly caller: RequestHandler;
  readonly failures: RequestHandler;
  readonly reveals: RequestHandler;
  readonly webhooks: RequestHandler;
}

const TEN_SECONDS = 10_000;

export function createLimiters(limits: RateLimits): Limiters {
  return {
    caller: limiter({
      windowMs: TEN_SECONDS,
      limit: (request) => (callerNameOf(request) === null ? limits.perAddress : limits.perKey),
      keyGenerator: callerKey,
    }),
    failures: limiter({
      windowMs: 15 * 60_000,
      limit: limits.failures,
      keyGenerator: addressKey,
      standardHeaders: false,
      // Whoever shows a valid key is not held up by others behind the same address.
      skip: (_request, response) =>
        response.locals['refused'] === undefined && response.locals['route'] !== 'signIn',
      skipSuccessfulRequests: true,
      requestWasSuccessful: (_request, response) => response.locals['code'] !== 'unauthorized',
    }),
    reveals: limiter({ windowMs: 3_600_000, limit: limits.reveals, keyGenerator: callerKey }),
    webhooks: limiter({ windowMs: TEN_SECONDS, limit: limits.webhooks, keyGenerator: addressKey }),
  };
}

function limiter(options: Partial<Options>): RequestHandler {
  return rateLimit({
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // A proxy that is not configured (TRUST_PROXY_HOPS) must not stop the service.
    validate: false,
    handler: (_request, _response, next) =>
      next(new AppError('rate-limited', 'Too many requests; wait as long as Retry-After says.')),
    ...options,
  });
}

function callerNameOf(request: Request): string | null {
  return (request.res?.locals['caller'] as Caller | null | undefined)?.name ?? null;
}

function callerKey(request: Request): string {
  const name = callerNameOf(request);
  return name === null ? addressKey(request) : `key:${name}`;
}

function addressKey(request: Request): string {
  return `address:${ipKeyGenerator(request.ip ?? 'unknown')}`;
}
