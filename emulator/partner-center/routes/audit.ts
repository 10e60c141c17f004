import { z } from 'zod';
import { DAY_MS } from '../../core/clock.ts';
import { ok, type Routes } from '../../core/http.ts';
import type { World } from '../../world.ts';
import type { AuditRecord } from '../entities.ts';
import { authorise, page, partnerError } from '../helpers.ts';
import { auditShape } from '../shapes.ts';

const filterSchema = z.object({ field: z.string(), value: z.string(), operator: z.string() });

export function auditRoutes(routes: Routes, world: World): void {
  routes.on('GET', '/v1/auditrecords', (request) => {
    authorise(world, request, 'user');
    const from = Date.parse(request.query.get('startDate') ?? '');
    if (Number.isNaN(from) || from < world.clock.now() - 91 * DAY_MS) {
      throw partnerError(400, 800002, 'startDate is missing or more than 90 days ago.');
    }
    const end = Date.parse(request.query.get('endDate') ?? '');
    // a day without a time means the whole day
    const to = Number.isNaN(end) ? Number.POSITIVE_INFINITY : end + DAY_MS;
    const wanted = matcherOf(request.query.get('filter'));
    const records = world.partner.audit
      .filter((record) => record.at >= from && record.at < to && wanted(record))
      .sort((left, right) => right.at - left.at);
    return ok(
      page(
        request,
        records.map((record) => auditShape(world, record)),
        200,
      ),
    );
  });

  routes.on('GET', '/auditactivity/v1/auditrecords/:recordId', (request) => {
    authorise(world, request, 'user');
    const record = world.partner.audit.get(request.params['recordId'] ?? '');
    if (record === undefined) throw partnerError(404, 1000, 'The audit record was not found.');
    return ok(auditShape(world, record));
  });
}

function matcherOf(filter: string | null): (record: AuditRecord) => boolean {
  if (filter === null) return () => true;
  let parsed: z.output<typeof filterSchema>;
  try {
    const json = Object.entries(JSON.parse(filter) as object).map(([key, value]) => [
      key.toLowerCase(),
      value,
    ]);
    parsed = filterSchema.parse(Object.fromEntries(json));
  } catch {
    throw partnerError(400, 800002, 'The filter is not valid.');
  }
  const value = parsed.value.toLowerCase();
  const of = (record: AuditRecord): string => {
    switch (parsed.field.toLowerCase()) {
      case 'customerid':
        return record.customerId ?? '';
      case 'companyname':
        return record.customerName ?? '';
      case 'resourcetype':
        return record.resourceType;
      default:
        throw partnerError(400, 800002, `Field ${parsed.field} is not supported.`);
    }
  };
  return parsed.operator.toLowerCase() === 'substring'
    ? (record) => of(record).toLowerCase().includes(value)
    : (record) => of(record).toLowerCase() === value;
}
