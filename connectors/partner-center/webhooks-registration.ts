/** The webhook registration (facts 2.4): one per partner tenant, perhaps shared with another product. */
import { z } from 'zod';
import { ActivityFailure } from '../../shared/errors.ts';
import { type ReadOptions, route, type WriteOptions } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { listOf, nullable } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

const Registration = z
  .object({ WebhookUrl: z.string(), WebhookEvents: listOf(z.string()) })
  .transform(({ WebhookUrl, WebhookEvents }) => ({ url: WebhookUrl, events: WebhookEvents }));
export type WebhookRegistration = z.output<typeof Registration>;

const TestResult = z.object({
  correlationId: z.string(),
  status: z.string(),
  callbackUrl: nullable(z.string()),
  results: listOf(
    z.object({
      responseCode: nullable(z.string()),
      responseMessage: nullable(z.string()),
      systemError: nullable(z.boolean()),
      dateTimeUtc: nullable(z.string()),
    }),
  ),
});
export type WebhookTestResult = z.output<typeof TestResult>;

export type EnsureOutcome = 'created' | 'updated' | 'unchanged';

const PATH = '/webhooks/v1/registration';

export function webhooksRegistration(calls: PartnerCenterCalls) {
  async function get(options?: ReadOptions): Promise<WebhookRegistration | null> {
    try {
      return (await calls.call({ method: 'GET', path: PATH, schema: Registration }, options)).body;
    } catch (failure) {
      if (wasRefused(failure, 404)) return null;
      throw failure;
    }
  }

  async function write(method: 'POST' | 'PUT', registration: WebhookRegistration, options: WriteOptions) {
    const body = {
      WebhookUrl: registration.url,
      WebhookEvents: registration.events,
      SignatureTokenToMsSignatureHeader: true,
    };
    await calls.call({ method, path: PATH, body, schema: Registration }, options);
  }

  return {
    /** Names of the events this partner can subscribe to. */
    async events(options?: ReadOptions): Promise<string[]> {
      return (
        await calls.call({ method: 'GET', path: `${PATH}/events`, schema: z.array(z.string()) }, options)
      ).body;
    },

    /** The registration, or null when there is none. */
    get,

    /**
     * Makes sure `url` receives at least `events`: creates, or adds the missing ones to those already there. An address
     * that is not ours is left alone (`partner-center-webhook-foreign`) unless `takeOver` says otherwise.
     */
    async ensure(
      wanted: { readonly url: string; readonly events: readonly string[]; readonly takeOver?: boolean },
      options: WriteOptions,
    ): Promise<EnsureOutcome> {
      const { requestId: _, ...read } = options;
      const current = await get(read);
      if (current === null) {
        await write('POST', { url: wanted.url, events: [...wanted.events] }, options);
        return 'created';
      }
      if (current.url !== wanted.url && wanted.takeOver !== true) {
        const message = 'Another address receives this partner’s webhooks; taking it over must be asked for.';
        throw new ActivityFailure('terminal', 'partner-center-webhook-foreign', message, {
          details: { url: current.url },
        });
      }
      const events = [...new Set([...current.events, ...wanted.events])];
      if (current.url === wanted.url && events.length === current.events.length) return 'unchanged';
      await write('PUT', { url: wanted.url, events }, options);
      return 'updated';
    },

    /** Asks Microsoft to deliver a test event; at most twice a minute. */
    async sendTest(options: WriteOptions): Promise<{ readonly correlationId: string }> {
      const schema = z.object({ correlationId: z.string() });
      return (await calls.call({ method: 'POST', path: `${PATH}/validationEvents`, schema }, options)).body;
    },

    async testResult(correlationId: string, options?: ReadOptions): Promise<WebhookTestResult> {
      const path = route`/webhooks/v1/registration/validationEvents/${correlationId}`;
      return (await calls.call({ method: 'GET', path, schema: TestResult }, options)).body;
    },
  };
}
