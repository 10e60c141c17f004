/** What a customer's tenant says about itself (facts 6): organisation, domains, directory synchronisation. */
import { z } from 'zod';
import { ActivityFailure } from '../../shared/errors.ts';
import { query, type ReadOptions, route, type WriteOptions } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { enumOf, guid, listOf, nullable } from '../schema.ts';
import type { GraphCalls } from './service.ts';

const Organization = z.object({
  id: guid,
  displayName: z.string(),
  countryLetterCode: nullable(z.string()),
  defaultUsageLocation: nullable(z.string()),
  /** Null: never, true: on, false: was on and is off. */
  onPremisesSyncEnabled: nullable(z.boolean()),
  onPremisesLastSyncDateTime: nullable(z.string()),
  verifiedDomains: listOf(
    z.object({
      name: z.string(),
      isDefault: z.boolean(),
      isInitial: z.boolean(),
      type: nullable(z.string()),
    }),
  ),
  assignedPlans: listOf(
    z.object({
      servicePlanId: guid,
      service: nullable(z.string()),
      capabilityStatus: enumOf('Enabled', 'Warning', 'Suspended', 'Deleted', 'LockedOut'),
    }),
  ),
});
export type Organization = z.output<typeof Organization>;

const Domain = z.object({
  id: z.string(),
  authenticationType: nullable(z.string()),
  isVerified: z.boolean(),
  isDefault: nullable(z.boolean()),
  isInitial: nullable(z.boolean()),
});
export type Domain = z.output<typeof Domain>;

const DnsRecord = z.object({
  recordType: z.string(),
  label: nullable(z.string()),
  ttl: nullable(z.number()),
  text: nullable(z.string()),
  mailExchange: nullable(z.string()),
  preference: nullable(z.number()),
});
export type DnsRecord = z.output<typeof DnsRecord>;

const Synced = z.object({ onPremisesProvisioningErrors: listOf(z.unknown()) });

const Synchronization = z.object({
  features: z
    .object({ passwordSyncEnabled: nullable(z.boolean()), groupWriteBackEnabled: nullable(z.boolean()) })
    .nullish(),
});

/** A list of one by the reference, one object by its example. */
const Synchronizations = z.union([
  z.object({ value: z.array(Synchronization) }).transform(({ value }) => value[0]),
  z.object({ id: z.string() }).and(Synchronization),
]);

export interface SynchronizationFeatures {
  readonly passwordSyncEnabled: boolean | null;
  readonly groupWriteBackEnabled: boolean | null;
}

export function directory(calls: GraphCalls) {
  function domains(tenant: string, options?: ReadOptions): Promise<Domain[]> {
    return calls.collect(tenant, '/v1.0/domains', Domain, options);
  }

  return {
    domains,

    async organization(tenant: string, options?: ReadOptions): Promise<Organization> {
      const [first] = await calls.collect(tenant, '/v1.0/organization', Organization, options);
      if (first !== undefined) return first;
      throw new ActivityFailure('unexpected', 'graph-shape', 'The tenant names no organisation.');
    },

    /** Adds a domain to be verified; one that is already there is returned as it is. */
    async addDomain(tenant: string, domain: string, options: WriteOptions): Promise<Domain> {
      try {
        const request = {
          method: 'POST',
          path: '/v1.0/domains',
          body: { id: domain },
          schema: Domain,
        } as const;
        return (await calls.call(tenant, request, options)).body;
      } catch (failure) {
        if (!wasRefused(failure, 400, 409)) throw failure;
        const existing = await domains(tenant, { correlationId: options.correlationId });
        const same = existing.find((candidate) => candidate.id.toLowerCase() === domain.toLowerCase());
        if (same === undefined) throw failure;
        return same;
      }
    },

    verificationRecords(tenant: string, domain: string, options?: ReadOptions): Promise<DnsRecord[]> {
      return calls.collect(tenant, route`/v1.0/domains/${domain}/verificationDnsRecords`, DnsRecord, options);
    },

    /** Asks Microsoft to look for the DNS record; false while it is not visible (400). */
    async verifyDomain(tenant: string, domain: string, options: WriteOptions): Promise<boolean> {
      try {
        const path = route`/v1.0/domains/${domain}/verify`;
        return (await calls.call(tenant, { method: 'POST', path, schema: Domain }, options)).body.isVerified;
      } catch (failure) {
        if (wasRefused(failure, 400)) return false;
        throw failure;
      }
    },

    /** How many users come from the customer's own directory. */
    async countSyncedUsers(tenant: string, options?: ReadOptions): Promise<number> {
      const values = { $filter: 'onPremisesSyncEnabled eq true', $count: 'true', $top: 1, $select: 'id' };
      const schema = z.object({ '@odata.count': z.number().int() });
      const headers = { ConsistencyLevel: 'eventual' };
      const request = { method: 'GET', path: `/v1.0/users${query(values)}`, headers, schema } as const;
      return (await calls.call(tenant, request, options)).body['@odata.count'];
    },

    /** Synchronised users whom the cloud could not take over as they are (facts 6.2). */
    async countProvisioningErrors(tenant: string, options?: ReadOptions): Promise<number> {
      const values = {
        $filter: 'onPremisesSyncEnabled eq true',
        $count: 'true',
        $top: 100,
        $select: 'id,onPremisesProvisioningErrors',
      };
      const headers = { ConsistencyLevel: 'eventual' };
      const synced = await calls.collect(tenant, `/v1.0/users${query(values)}`, Synced, {
        ...options,
        headers,
      });
      return synced.filter(({ onPremisesProvisioningErrors }) => onPremisesProvisioningErrors.length > 0)
        .length;
    },

    /** Optional evidence: null where the partner's roles do not reach it (403). Says nothing about password write-back. */
    async synchronizationFeatures(
      tenant: string,
      options?: ReadOptions,
    ): Promise<SynchronizationFeatures | null> {
      try {
        const path = '/v1.0/directory/onPremisesSynchronization';
        const { body } = await calls.call(tenant, { method: 'GET', path, schema: Synchronizations }, options);
        return body?.features ?? null;
      } catch (failure) {
        if (wasRefused(failure, 403)) return null;
        throw failure;
      }
    },
  };
}
