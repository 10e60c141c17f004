/** The reseller invitation and our application's consent in a customer tenant (facts 1.6, 2.1). */
import { z } from 'zod';
import { ActivityFailure } from '../../shared/errors.ts';
import { type ReadOptions, route, type WriteOptions } from '../http.ts';
import { ignored } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

/** App id of Microsoft Graph in every tenant. */
export const GRAPH_APPLICATION_ID = '00000003-0000-0000-c000-000000000000';

const Invitation = z.object({ url: z.url({ protocol: /^https?$/ }) });

export interface ApplicationGrant {
  readonly enterpriseApplicationId: string;
  readonly scopes: readonly string[];
}

export function relationships(calls: PartnerCenterCalls) {
  return {
    /** The address customers accept at: one per partner, the same for every customer, to be sent unaltered. */
    async invitation(options?: ReadOptions): Promise<{ readonly url: string }> {
      const path = '/v1/customers/relationshiprequests';
      return (await calls.call({ method: 'GET', path, schema: Invitation }, options)).body;
    },

    /** Consents to our application in the customer's tenant; a consent that is already there is success. */
    async consentToApplication(
      customerId: string,
      consent: {
        readonly applicationId: string;
        readonly displayName: string;
        readonly grants: readonly ApplicationGrant[];
      },
      options: WriteOptions,
    ): Promise<{ readonly alreadyThere: boolean }> {
      const applicationGrants = consent.grants.map(({ enterpriseApplicationId, scopes }) => ({
        enterpriseApplicationId,
        scope: scopes.join(','),
      }));
      const body = {
        applicationId: consent.applicationId,
        displayName: consent.displayName,
        applicationGrants,
      };
      const path = route`/v1/customers/${customerId}/applicationconsents`;
      try {
        await calls.call({ method: 'POST', path, body, schema: ignored }, options);
        return { alreadyThere: false };
      } catch (failure) {
        const isThere =
          failure instanceof ActivityFailure && /permission entry already exists/i.test(failure.message);
        if (isThere) return { alreadyThere: true };
        throw failure;
      }
    },

    async withdrawApplicationConsent(
      customerId: string,
      applicationId: string,
      options: WriteOptions,
    ): Promise<void> {
      const path = route`/v1/customers/${customerId}/applicationconsents/${applicationId}`;
      await calls.call({ method: 'DELETE', path, schema: ignored }, options);
    },
  };
}
