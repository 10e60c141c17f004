/** A domain of the customer in its tenant: added, then verified by a DNS record (facts: microsoft-apis 6.3). */
import type { z } from 'zod';
import { type DnsRecord, wasRefused } from '../../connectors/index.ts';
import { type ActivityContext, type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import * as contracts from '../../workflows/activities/directory.ts';
import { type ActivityDeps, reading, writing } from './calls.ts';

type Added = z.input<typeof contracts.addDomain.output>;

export function addDomain({ connectors }: ActivityDeps): ActivityImplementation {
  const { directory } = connectors.graph;

  async function recordsOf(tenantId: string, domain: string, context: ActivityContext): Promise<Added> {
    const records = await directory.verificationRecords(tenantId, domain, reading(context));
    return { verified: false, records: records.flatMap(shown), problem: null };
  }

  return implementActivity(contracts.addDomain, {
    async run({ tenantId, domain }, context): Promise<Added> {
      try {
        const { isVerified } = await directory.addDomain(tenantId, domain, writing(context));
        if (isVerified) return { verified: true, records: [], problem: null };
      } catch (failure) {
        // Our roles do not reach it, or another tenant holds it: a person has to see to it in the admin centre.
        if (wasRefused(failure, 400, 403, 409))
          return { verified: false, records: [], problem: failure.message };
        throw failure;
      }
      return recordsOf(tenantId, domain, context);
    },

    async verify({ tenantId, domain }, context) {
      const found = (await directory.domains(tenantId, reading(context))).find(({ id }) => id === domain);
      if (found === undefined) return { outcome: 'not-done' };
      return {
        outcome: 'done',
        output: found.isVerified
          ? { verified: true, records: [], problem: null }
          : await recordsOf(tenantId, domain, context),
      };
    },
  });
}

/** A TXT record is all that is needed; the MX record is Microsoft's other way of asking for the same. */
function shown({
  recordType,
  label,
  text,
  ttl,
}: DnsRecord): z.input<typeof contracts.addDomain.output>['records'] {
  return text === null ? [] : [{ type: recordType.toUpperCase(), name: label ?? '@', value: text, ttl }];
}

export function verifyDomain({ connectors }: ActivityDeps): ActivityImplementation {
  const { directory } = connectors.graph;
  return implementActivity(contracts.verifyDomain, {
    async run({ tenantId, domain }, context) {
      const known = await directory.organization(tenantId, reading(context));
      if (known.verifiedDomains.some(({ name }) => name.toLowerCase() === domain)) return { verified: true };
      try {
        return { verified: await directory.verifyDomain(tenantId, domain, writing(context)) };
      } catch (failure) {
        // Not added yet, or not ours to verify: somebody adds it by hand, and the organisation then shows it.
        if (wasRefused(failure, 403, 404)) return { verified: false };
        throw failure;
      }
    },
  });
}
