import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { isAppError } from '../../shared/errors.ts';
import { signInLife } from '../../shared/sign-in-life.ts';
import { type Route, route } from '../route.ts';
import { iso } from '../schemas.ts';

/** What the process knows of itself and of what it depends on. */
export interface Health {
  /** Rejects when the store does not answer or takes no writes. */
  store(): Promise<{ readonly durable: boolean; readonly warnings?: readonly string[] }>;
  /** Names of the workers that hold a lease. */
  workers(): Promise<readonly string[]>;
  /** When the partner's refresh token was last renewed, ms since the epoch; null when nobody knows. */
  signInRenewedAt(): Promise<number | null>;
  /** True once the process shuts down. */
  draining(): boolean;
}

const Alive = z.strictObject({ status: z.literal('ok') });
const Ready = z
  .strictObject({
    status: z.enum(['ok', 'draining', 'unavailable']),
    checks: z
      .strictObject({
        store: z.strictObject({
          ok: z.boolean(),
          durable: z.boolean().nullable(),
          warnings: z.array(z.string()),
        }),
        workers: z.strictObject({ ok: z.boolean(), count: z.int().nullable() }),
      })
      .optional(),
  })
  .meta({ id: 'Readiness' });

const SignInSchema = z
  .strictObject({
    renewedAt: z.string().nullable().meta({ description: 'null: no worker has signed in yet' }),
    diesAt: z.string().nullable().meta({ description: 'When it dies of disuse unless it is renewed' }),
    alarm: z.boolean().meta({ description: '14 days or less are left' }),
  })
  .meta({ id: 'SignInLife' });

const PROBE_MS = 1_500;

export function healthRoutes({
  health,
  clock,
}: {
  readonly health: Health;
  readonly clock: Clock;
}): readonly Route[] {
  const alive = { status: 200, body: { status: 'ok' } } as const;
  return [
    route({
      id: 'getLiveness',
      method: 'get',
      path: '/livez',
      tag: 'health',
      summary: 'The process runs',
      responses: { 200: { description: 'It does', schema: Alive } },
      errors: [],
      handle: () => alive,
    }),
    route({
      id: 'getStartup',
      method: 'get',
      path: '/startupz',
      tag: 'health',
      summary: 'The process has started',
      responses: { 200: { description: 'It listens only after its checks passed', schema: Alive } },
      errors: [],
      handle: () => alive,
    }),
    route({
      id: 'getSignInLife',
      method: 'get',
      path: '/v1/sign-in',
      tag: 'queues',
      summary: 'How old the partner’s sign-in at Microsoft is, and when it dies of disuse',
      responses: { 200: { description: 'Times in UTC', schema: SignInSchema } },
      errors: [],
      async handle() {
        const renewedAt = await health.signInRenewedAt();
        const { diesAt, alarm } = signInLife(renewedAt, clock.now());
        const body = {
          renewedAt: renewedAt === null ? null : iso(renewedAt),
          diesAt: diesAt === null ? null : iso(diesAt),
          alarm,
        };
        return { status: 200, body };
      },
    }),
    route({
      id: 'getReadiness',
      method: 'get',
      path: '/readyz',
      tag: 'health',
      summary: 'Requests can be taken: the store answers, takes writes, and nothing shuts down',
      description: 'No worker is no reason to refuse: what is accepted is kept until one comes.',
      query: z.strictObject({ verbose: z.string().max(5).optional() }),
      responses: {
        200: { description: 'Ready', schema: Ready },
        503: { description: 'Not ready', schema: Ready },
      },
      errors: [],
      async handle({ query }) {
        const [store, workers] = await Promise.all([
          probe(health.store()),
          query.verbose === undefined ? null : probe(health.workers()),
        ]);
        const status = health.draining() ? 'draining' : 'why' in store ? 'unavailable' : 'ok';
        const live = workers === null || 'why' in workers ? null : workers.length;
        const checks = {
          store:
            'why' in store
              ? { ok: false, durable: null, warnings: [store.why] }
              : { ok: true, durable: store.durable, warnings: [...(store.warnings ?? [])] },
          workers: { ok: (live ?? 0) > 0, count: live },
        };
        return {
          status: status === 'ok' ? 200 : 503,
          body: query.verbose === undefined ? { status } : { status, checks },
        };
      },
    }),
  ];
}

interface Failed {
  readonly why: string;
}

/** Only what we say ourselves is told to everybody: other errors name hosts. */
async function probe<T extends object>(asked: Promise<T>): Promise<T | Failed> {
  const silent: Failed = { why: 'The store does not answer.' };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Failed>((resolve) => {
    timer = setTimeout(resolve, PROBE_MS, silent);
  });
  const told = asked.catch((error: unknown) => (isAppError(error) ? { why: error.message } : silent));
  return Promise.race([told, late]).finally(() => clearTimeout(timer));
}
