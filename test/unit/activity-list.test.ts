import { describe, expect, it } from '@jest/globals';
import type { Connectors } from '../../connectors/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';
import { createActivities } from '../../workers/activities/index.ts';
import { activityContracts } from '../../workflows/index.ts';
import { activityContext } from '../support/emulated-microsoft.ts';

/** Connectors every call of which fails with `failure`. */
function failing(failure: ActivityFailure): Connectors {
  const rejecting: unknown = new Proxy(() => Promise.reject(failure), { get: () => rejecting });
  return rejecting as Connectors;
}

function activitiesOn(connectors: Connectors) {
  const microsoft = {
    authorityUrl: 'http://127.0.0.1:1',
    partnerCenterUrl: 'http://127.0.0.1:1',
    graphUrl: 'http://127.0.0.1:1',
    partnerCenterScope: '',
    graphScope: '',
    partnerTenantId: '3a1d0c55-0000-4000-8000-00000000aaaa',
    clientId: '11111111-2222-4333-8444-555555555555',
    clientSecret: new Secret(''),
    refreshToken: null,
    requireMfa: true,
    adminCenterUrl: 'https://admin.microsoft.com',
    applicationName: 'Customer onboarding',
    customerScopes: [],
    timeoutMs: 1_000,
  };
  return createActivities({
    connectors,
    config: { microsoft },
    log: silentLogger(),
    client: () => ({}) as never,
  });
}

const broken = new ActivityFailure('terminal', 'aadsts-700082', 'The refresh token has expired.', {
  pausesQueue: 'partner-center',
});

describe('the activities of a worker', () => {
  it('are exactly those the workflows may ask for, each once', () => {
    const implemented = activitiesOn(failing(broken)).map(({ contract }) => contract);

    expect(implemented.map(({ name }) => name).toSorted()).toEqual(
      activityContracts.map(({ name }) => name).toSorted(),
    );
    expect(new Set(implemented)).toEqual(new Set(activityContracts));
  });

  it('can all be asked afterwards when they change the outside world', () => {
    const unasked = activitiesOn(failing(broken)).filter(
      ({ contract, verify }) => contract.effectful && verify === undefined,
    );

    expect(unasked).toEqual([]);
  });

  it('end as repeatable, with their queue paused, when our sign-in is broken', async () => {
    const attempts = activitiesOn(failing(broken)).filter(
      ({ contract }) => contract.queue !== 'default' && contract.queue !== 'mail',
    );
    const inputs: Record<string, unknown> = {
      lines: [
        {
          productId: 'p',
          skuId: 's',
          name: 'n',
          quantity: 1,
          termDuration: 'P1Y',
          billingCycle: 'monthly',
          catalogItemId: 'p:s:a',
        },
      ],
      address: { line1: '1', line2: null, city: '', state: null, postalCode: null, country: 'US' },
      contact: { firstName: 'A', lastName: 'B', email: 'a@b.example', phoneNumber: null },
      domain: 'a.onmicrosoft.com',
      companyName: 'Contoso',
      tenantId: 't',
      groupIds: ['g'],
      names: ['ada@contoso.example'],
      roles: [],
      skuIds: ['s'],
      users: [{ userPrincipalName: 'ada@contoso.example', usageLocation: null }],
      assignments: [{ groupId: 'g', roles: [] }],
      customerName: 'Contoso',
    };

    for (const { contract, run } of attempts) {
      const outcome = run(inputs as never, activityContext());
      await expect(outcome).rejects.toMatchObject({
        kind: 'retryable',
        code: 'aadsts-700082',
        pausesQueue: 'partner-center',
      });
      expect(contract.name).not.toBe('');
    }
  });
});
