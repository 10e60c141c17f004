/** Trouble to order: by route, for the next N requests or by probability. Durable, like everything else. */
import { z } from 'zod';
import type { Database } from './database.ts';
import { GARBLED_AS } from './garble.ts';
import type { Random } from './random.ts';

export const FAULT_KINDS = [
  // any route
  'throttle',
  'error',
  'delay',
  'hang-up-before',
  'hang-up-after',
  'no-answer',
  /** A gateway's page under an error status; nothing was done. */
  'gateway-page',
  /** The operation is done, its answer does not fit. */
  'garbled',
  // one meaning each
  'accepted',
  'availability-gone',
  'cart-line-error',
  'partial-checkout',
  'already-submitted',
  'lock-not-allowed',
  'consent-in-progress',
  'consent-missing',
  'out-of-licences',
  'invalid-usage-location',
  'vetting',
  'order-stuck',
  'provisioning-failed',
  'prefix-taken',
  // route is the event name
  'webhook-duplicate',
  'webhook-lost',
  'webhook-out-of-order',
  'webhook-bad-signature',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export const faultInput = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** Operation key such as `POST /pc/v1/customers/:customerId/carts`, `*` for any run of characters; default all. */
  route: z.string().min(1).default('*'),
  /** The next N matching requests; without it until removed. */
  times: z.number().int().positive().optional(),
  /** 0 to 1, drawn per matching request; without it always. */
  probability: z.number().min(0).max(1).optional(),
  status: z.number().int().min(200).max(599).optional(),
  code: z.union([z.number(), z.string()]).optional(),
  description: z.string().optional(),
  retryAfterSeconds: z.number().min(0).optional(),
  delayMs: z.number().min(0).optional(),
  /** How a `garbled` answer is spoilt; default `html`. */
  as: z.enum(GARBLED_AS).optional(),
  /** Of a `garbled` answer as `field`: `items.0.status`. */
  field: z.string().optional(),
  value: z.unknown().optional(),
});

export type FaultInput = z.input<typeof faultInput>;

export interface Fault extends z.output<typeof faultInput> {
  readonly id: string;
  /** How often it struck. */
  readonly struck: number;
}

export interface Faults {
  add(input: FaultInput): Fault;
  remove(id: string): boolean;
  clear(): void;
  all(): Fault[];
  /** The fault that strikes this request, if any; counts it. */
  take(route: string, ...kinds: readonly FaultKind[]): Fault | undefined;
}

export function createFaults(database: Database, random: Random): Faults {
  const faults = database.collection<Fault>('faults');
  const strikes = (fault: Fault, route: string): boolean =>
    (fault.times === undefined || fault.struck < fault.times) &&
    globOf(fault.route).test(route) &&
    (fault.probability === undefined || random.fraction() < fault.probability);
  return {
    add: (input) => faults.put({ ...faultInput.parse(input), id: random.guid(), struck: 0 }),
    remove: (id) => {
      const known = faults.get(id) !== undefined;
      if (known) faults.remove(id);
      return known;
    },
    clear: () => {
      for (const fault of faults.all()) faults.remove(fault.id);
    },
    all: () => faults.all(),
    take: (route, ...kinds) => {
      const fault = faults.find((candidate) => kinds.includes(candidate.kind) && strikes(candidate, route));
      return fault === undefined ? undefined : faults.update(fault.id, { struck: fault.struck + 1 });
    },
  };
}

/** Matches the whole key, or its path alone when the pattern names no method. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^(?:[A-Z]+ )?${source}$`, 'i');
}
