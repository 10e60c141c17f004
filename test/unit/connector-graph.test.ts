import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gdapInvitationUrl, inBatches } from '../../connectors/index.ts';
import {
  CUSTOMER,
  connect,
  type FakeService,
  failureOf,
  IDS,
  json,
  startFakeService,
} from './connector-fake-service.ts';

let service: FakeService;
beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

const graph = () => connect(service.url).graph;
const EMS = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
const user = (number: number) => ({
  id: `00000000-0000-4000-8000-00000000000${number}`,
  userPrincipalName: `u${number}@contoso.example`,
});
const error = (code: string, message: string) => ({ error: { code, message } });

describe('paging', () => {
  it('follows next links on our host', async () => {
    service.on('GET', '/v1.0/users', (asked, response) =>
      asked.path.includes('skip')
        ? json(response, 200, { value: [user(2)] })
        : json(response, 200, {
            value: [user(1)],
            '@odata.nextLink': `${service.url}/v1.0/users?$skiptoken=x`,
          }),
    );

    const users = await graph().users.list(CUSTOMER);

    expect(users.map((one) => one.userPrincipalName)).toEqual(['u1@contoso.example', 'u2@contoso.example']);
  });

  it('never carries the token to another host', async () => {
    service.on('GET', '/v1.0/users', (_, response) =>
      json(response, 200, {
        value: [user(1)],
        '@odata.nextLink': `${service.url}.attacker.example/v1.0/users`,
      }),
    );

    expect(await failureOf(graph().users.list(CUSTOMER))).toMatchObject({ code: 'graph-next-link-foreign' });
  });
});

describe('licences', () => {
  it('of a batch have an outcome each, whatever the order of the answers', async () => {
    service.on('POST', '/v1.0/$batch', (_, response) =>
      json(response, 200, {
        responses: [
          { id: '3', status: 429, headers: { 'Retry-After': '9' }, body: error('TooManyRequests', 'x') },
          {
            id: '1',
            status: 400,
            body: error(
              'Request_BadRequest',
              'License assignment cannot be done for user with invalid usage location.',
            ),
          },
          { id: '0', status: 204 },
        ],
      }),
    );

    const outcomes = await graph().licences.assignBatch(CUSTOMER, ['a', 'b', 'c', 'd'], { skuId: EMS }, IDS);

    expect(outcomes).toMatchObject([
      { userId: 'a', outcome: 'done' },
      { userId: 'b', outcome: 'failed', failure: { kind: 'terminal', code: 'graph-usage-location-missing' } },
      { userId: 'c', outcome: 'failed', failure: { kind: 'unknown', code: 'graph-no-answer' } },
      {
        userId: 'd',
        outcome: 'failed',
        failure: { kind: 'retryable', code: 'graph-throttled', retryAfterMs: 9_000 },
      },
    ]);
    expect(JSON.parse(service.asked.at(-1)?.body ?? '').requests[0]).toEqual({
      id: '0',
      method: 'POST',
      url: '/users/a/assignLicense',
      headers: { 'Content-Type': 'application/json' },
      body: { addLicenses: [{ skuId: EMS, disabledPlans: [] }], removeLicenses: [] },
    });
  });

  it.each([
    ['Subscription with SKU x does not have any available licenses.', 'graph-licences-exhausted'],
    ['License x does not correspond to a valid company License.', 'graph-sku-not-provisioned'],
    ['The plans are mutually exclusive.', 'graph-plans-conflict'],
    ['Something else.', 'graph-Request_BadRequest'],
  ])('refused with "%s" end as %s', async (message, code) => {
    service.on('POST', '/v1.0/users/a/assignLicense', (_, response) =>
      json(response, 400, error('Request_BadRequest', message)),
    );

    expect(await failureOf(graph().licences.assign(CUSTOMER, 'a', { skuId: EMS }, IDS))).toMatchObject({
      kind: 'terminal',
      code,
    });
  });

  it('count free seats with those in the warning period', async () => {
    const sku = {
      skuId: EMS.toUpperCase(),
      skuPartNumber: 'EMS',
      capabilityStatus: 'Enabled',
      consumedUnits: 3,
      prepaidUnits: { enabled: 25, warning: 2 },
    };
    service.on('GET', '/v1.0/subscribedSkus', (_, response) => json(response, 200, { value: [sku] }));

    expect(await graph().licences.subscribedSkus(CUSTOMER)).toMatchObject([
      { skuId: EMS, freeUnits: 24, servicePlans: [] },
    ]);
  });

  it('are handed out twenty at a time', () => {
    expect(inBatches(Array.from({ length: 45 }, (_, index) => index)).map((batch) => batch.length)).toEqual([
      20, 20, 5,
    ]);
    expect(inBatches([])).toEqual([]);
  });
});

describe('delegated admin relationships', () => {
  const base = '/v1.0/tenantRelationships/delegatedAdminRelationships';
  const role = 'fe930be7-5e62-47db-91af-98c3a49a38b1';
  const relationship = (status: string) => ({
    id: 'r1',
    displayName: 'onb-1 Contoso',
    status,
    customer: { tenantId: CUSTOMER },
    '@odata.etag': 'W/"1"',
    accessDetails: { unifiedRoles: [{ roleDefinitionId: role }] },
  });
  const wanted = {
    displayName: 'onb-1 Contoso',
    customerTenantId: CUSTOMER,
    roleIds: [role],
    duration: 'P730D',
    autoExtendDuration: 'P180D',
  };

  it('of a name that is taken are adopted', async () => {
    service.on('POST', base, (_, response) => json(response, 409, error('conflict', 'x')));
    service.on('GET', base, (_, response) => json(response, 200, { value: [relationship('created')] }));

    expect(await graph().gdap.create(wanted, IDS)).toMatchObject({
      id: 'r1',
      roleIds: [role],
      customerTenantId: CUSTOMER,
    });
    expect(decodeURIComponent(service.asked.at(-1)?.path ?? '')).toContain(
      `customer/tenantId eq '${CUSTOMER}'`,
    );
  });

  it('are locked against their etag, once', async () => {
    service.on('GET', `${base}/r1`, (_, response, count) =>
      json(response, 200, relationship(count === 1 ? 'created' : 'approvalPending')),
    );
    service.on('POST', `${base}/r1/requests`, (_, response) =>
      json(response, 201, { id: 'q', action: 'lockForApproval' }),
    );
    const { gdap } = graph();

    expect((await gdap.lock('r1', IDS)).status).toBe('approvalPending');
    expect((await gdap.lock('r1', IDS)).status).toBe('approvalPending');

    const requests = service.askedFor(`${base}/r1/requests`);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.headers['if-match']).toBe('W/"1"');
  });

  it('that are still being copied around are locked later', async () => {
    service.on('GET', `${base}/r1`, (_, response) => json(response, 200, relationship('created')));
    service.on('POST', `${base}/r1/requests`, (_, response) =>
      json(response, 405, error('MethodNotAllowed', 'x')),
    );

    expect(await failureOf(graph().gdap.lock('r1', IDS))).toMatchObject({
      kind: 'retryable',
      code: 'graph-gdap-replicating',
      retryAfterMs: 5_000,
    });
  });

  it('give a group its roles once', async () => {
    const groupId = '99999999-0000-4000-8000-000000000009';
    const path = `${base}/r1/accessAssignments`;
    const existing = {
      id: 'a1',
      status: 'pending',
      accessContainer: { accessContainerId: groupId },
      accessDetails: { unifiedRoles: [{ roleDefinitionId: role }] },
    };
    service.on('POST', path, (_, response) => json(response, 409, error('conflict', 'x')));
    service.on('GET', path, (_, response) => json(response, 200, { value: [existing] }));
    const { gdap } = graph();

    expect(await gdap.assign('r1', { groupId, roleIds: [role] }, IDS)).toMatchObject({ id: 'a1', groupId });
    expect(await failureOf(gdap.assign('r1', { groupId, roleIds: [role, EMS] }, IDS))).toMatchObject({
      kind: 'terminal',
    });
  });

  it('are approved at an address that names them', () => {
    expect(gdapInvitationUrl('r1')).toBe(
      'https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/r1',
    );
  });
});

describe('a domain', () => {
  it('nobody owns has no tenant', async () => {
    const path = "/v1.0/tenantRelationships/findTenantInformationByDomainName(domainName='contoso.example')";
    service.on('GET', path, (_, response, count) =>
      count === 1
        ? json(response, 404, error('Request_ResourceNotFound', 'x'))
        : json(response, 200, { tenantId: CUSTOMER, displayName: 'Contoso' }),
    );

    expect(await graph().tenants.findByDomain('contoso.example')).toBeNull();
    expect(await graph().tenants.findByDomain('contoso.example')).toMatchObject({ tenantId: CUSTOMER });
  });
});
