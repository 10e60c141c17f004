import { z } from 'zod';
import type { MicrosoftConfig } from '../../shared/config.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { type Answer, type Call, call, type ReadOptions, type Service, type WriteOptions } from '../http.ts';
import type { Identity } from '../identity.ts';
import { type Refusal, type ServiceError, wasRefused } from '../refusals.ts';
import { nullable } from '../schema.ts';

/** How every resource file calls Microsoft Graph. `tenant` says in whose directory: the partner's or a customer's. */
export interface GraphCalls {
  readonly partnerTenantId: string;
  call<Schema extends z.ZodType>(
    tenant: string,
    request: Omit<Call<Schema>, 'token'>,
    options?: ReadOptions | WriteOptions,
  ): Promise<Answer<z.output<Schema>>>;
  /** All pages of a collection, at most `limit` items. */
  collect<Schema extends z.ZodType>(
    tenant: string,
    path: string,
    item: Schema,
    options: (ReadOptions & { limit?: number; headers?: Readonly<Record<string, string>> }) | undefined,
  ): Promise<z.output<Schema>[]>;
  /** What an error body of a `$batch` part means, as if the part had been a call of its own. */
  readonly service: Service;
}

const DEFAULT_LIMIT = 100_000;
const MAX_PAGES = 2_000;

export function createGraphCalls(
  config: MicrosoftConfig,
  deps: { identity: Identity; log: Logger },
): GraphCalls {
  const partner = graphService(config, deps.log, true);
  const customer = graphService(config, deps.log, false);

  const callHere: GraphCalls['call'] = async (tenant, request, options = {}) => {
    const isPartner = tenant.toLowerCase() === config.partnerTenantId.toLowerCase();
    const token = deps.identity.tokenSource({ tenant, resource: 'graph' });
    try {
      return await call(isPartner ? partner : customer, { ...request, token }, options);
    } catch (failure) {
      // A token from before a new consent lacks the new scopes; the next try deserves a fresh one.
      if (wasRefused(failure, 403)) deps.identity.forget(tenant);
      throw failure;
    }
  };

  return {
    partnerTenantId: config.partnerTenantId,
    call: callHere,
    service: customer,
    async collect(tenant, path, item, options = {}) {
      const { limit = DEFAULT_LIMIT, headers = {}, ...read } = options;
      const schema = z.object({ value: z.array(item), '@odata.nextLink': nullable(z.string()) });
      const items: z.output<typeof item>[] = [];
      let next: string | null = path;
      for (let page = 0; next !== null && items.length < limit && page < MAX_PAGES; page += 1) {
        const { body }: Answer<z.output<typeof schema>> = await callHere(
          tenant,
          { method: 'GET', path: next, headers, schema },
          read,
        );
        items.push(...body.value);
        const link: string | null = body['@odata.nextLink'];
        next = link === null ? null : pathOnHost(link, config.graphUrl);
      }
      return items.slice(0, limit);
    },
  };
}

/** OData text: quotes are doubled. */
export function odata(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** Next links are absolute; one that leads elsewhere would carry our token away. */
function pathOnHost(link: string, base: string): string {
  const prefix = base.replace(/\/+$/, '');
  if (link.startsWith(`${prefix}/`)) return link.slice(prefix.length);
  const message = 'A next link leads to another host.';
  throw new ActivityFailure('unexpected', 'graph-next-link-foreign', message, {
    details: { link: link.split('?')[0] },
  });
}

const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string().nullish() }) });

/** What licence and directory errors say in words only; fragments, because the full texts vary (facts 5.3). */
const NAMED: readonly (readonly [RegExp, string])[] = [
  [/usage location/i, 'usage-location-missing'],
  [/does not have any available licenses/i, 'licences-exhausted'],
  [/does not correspond to a valid company license/i, 'sku-not-provisioned'],
  [/mutually exclusive|conflicting service/i, 'plans-conflict'],
  [/depends on the service plan/i, 'plan-dependency'],
  [/inherited from a group/i, 'licence-inherited'],
  [/another object with the same value/i, 'object-exists'],
];

function graphService(config: MicrosoftConfig, log: Logger, isPartner: boolean): Service {
  return {
    name: 'graph',
    queue: 'graph',
    baseUrl: config.graphUrl,
    timeoutMs: config.timeoutMs,
    log,
    headers: (ids) => ({ 'client-request-id': ids.requestId, 'return-client-request-id': 'true' }),
    readError,
    rules: {
      conflicts: {},
      stale: ['Directory_ConcurrencyViolation'],
      transient: [
        'TooManyRequests',
        'activityLimitReached',
        'ApplicationThrottled',
        'ServiceUnavailable',
        'UnknownError',
      ],
      doubtful: [],
      unauthorizedPauses: isPartner,
      named: nameOf,
    },
  };
}

function readError(body: unknown): ServiceError | undefined {
  const parsed = ErrorBody.safeParse(body);
  if (!parsed.success) return undefined;
  const { code, message } = parsed.data.error;
  return { code, text: (message ?? '').slice(0, 1_024), retryAdvised: false };
}

function nameOf(refusal: Refusal): string | undefined {
  if (refusal.status !== 400 && refusal.status !== 409) return undefined;
  return NAMED.find(([fragment]) => fragment.test(refusal.text))?.[1];
}
