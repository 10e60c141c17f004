/** The audit log (facts 2.5): what really happened, for reconciliation and for consents whose webhook got lost. */
import { z } from 'zod';
import { query, type ReadOptions } from '../http.ts';
import { listOf, nullable } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

const AuditRecord = z.object({
  id: nullable(z.string()),
  customerId: nullable(z.string()),
  customerName: nullable(z.string()),
  resourceType: nullable(z.string()),
  /** Free text: names differ between documents, so match leniently. */
  operationType: z.string(),
  operationDate: z.string(),
  operationStatus: nullable(z.string()),
  userPrincipalName: nullable(z.string()),
  /** JSON as text, in PascalCase; often absent. */
  resourceNewValue: nullable(z.string()),
  customizedData: listOf(z.object({ key: z.string(), value: nullable(z.string()) })),
});
export type AuditRecord = z.output<typeof AuditRecord>;

export interface AuditQuery {
  /** `2026-11-01`, at most 90 days back. */
  readonly startDate: string;
  readonly endDate?: string;
  readonly filter?: {
    readonly field: 'CustomerId' | 'CompanyName' | 'ResourceType';
    readonly value: string;
    readonly operator: 'equals' | 'substring';
  };
}

export function audit(calls: PartnerCenterCalls) {
  return {
    records(wanted: AuditQuery, options?: ReadOptions & { limit?: number }): Promise<AuditRecord[]> {
      const { startDate, endDate, filter } = wanted;
      const values = {
        startDate,
        endDate,
        filter:
          filter && JSON.stringify({ Field: filter.field, Value: filter.value, Operator: filter.operator }),
        size: 200,
      };
      return calls.collect(`/v1/auditrecords${query(values)}`, AuditRecord, options);
    },
  };
}
