import { describe, expect, it } from '@jest/globals';
import { createSimulatedClock } from '../../shared/clock.ts';
import { ID_PATTERN, newId, uuidFrom } from '../../shared/ids.ts';
import {
  PartnerCenterEvent,
  partnerCenterEventId,
  partnerCenterEventSubject,
} from '../../shared/webhook-event.ts';

describe('ids', () => {
  it('sort by the time they were made, fit the grammar and do not repeat', () => {
    const clock = createSimulatedClock();
    const ids = Array.from({ length: 500 }, () => {
      clock.advance(1);
      return newId('wf', clock.now());
    });

    expect(ids.toSorted()).toEqual(ids);
    expect(ids.every((id) => ID_PATTERN.test(id) && /^wf_[0-9a-f]{12}7[0-9a-f]{3}[89ab]/.test(id))).toBe(
      true,
    );
    expect(new Set(Array.from({ length: 1_000 }, () => newId('wf', 0))).size).toBe(1_000);
  });

  it('made from parts are the same for the same parts only', () => {
    expect(uuidFrom('token', 1)).toBe(uuidFrom('token', 1));
    expect(uuidFrom('ab', 'c')).not.toBe(uuidFrom('a', 'bc'));
    expect(uuidFrom('a')).not.toBe(uuidFrom('a', ''));
    expect(uuidFrom('x')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('a Partner Center event', () => {
  const raw = {
    EventName: 'granular-admin-relationship-approved',
    ResourceUri:
      'https://partner.microsoft.com/granularAdminRelationships/5e5594d3-0000-4000-8000-00000000000a-5d7c1111-0000-4000-8000-00000000000b',
    ResourceName: 'GranularAdminRelationship',
    AuditUri: null,
    ResourceChangeUtcDate: '2026-11-02T10:31:24.0159088+00:00',
  };

  it('is recognised when it is delivered again', () => {
    const first = PartnerCenterEvent.parse(raw);

    expect(partnerCenterEventId(PartnerCenterEvent.parse({ ...raw, More: 1 }))).toBe(
      partnerCenterEventId(first),
    );
    expect(partnerCenterEventId({ ...first, changedAt: 'later' })).not.toBe(partnerCenterEventId(first));
  });

  it('names its customer or its relationship', () => {
    const event = PartnerCenterEvent.parse(raw);
    const ofCustomer = {
      ...event,
      resourceUri:
        'https://api.partnercenter.microsoft.com/v1/customers/6F0C1111-0000-4000-8000-000000000001',
    };

    expect(partnerCenterEventSubject(event)).toEqual({
      customerId: null,
      gdapRelationshipId: '5e5594d3-0000-4000-8000-00000000000a-5d7c1111-0000-4000-8000-00000000000b',
    });
    expect(partnerCenterEventSubject(ofCustomer).customerId).toBe('6f0c1111-0000-4000-8000-000000000001');
  });
});
