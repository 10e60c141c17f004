import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createEmulator,
  DEFAULT_CLIENT,
  type Emulator,
  PARTNER,
  SEED_TENANTS,
} from '../../emulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { differences, type Sample, samplesOf } from '../support/microsoft-samples.ts';
import { buy, type Client, catalogueItem, clientOf, EMS_SKU, type Json, seatsOf } from './emulator-client.ts';

const CUSTOMER = SEED_TENANTS.fabrikam;
let emulator: Emulator;
let client: Client;
/** What stands for `{name}` in a sample. */
const known: Record<string, string> = {
  customer: CUSTOMER,
  foreign: SEED_TENANTS.contoso,
  sku: EMS_SKU,
  today: new Date().toISOString().slice(0, 10),
};

beforeAll(async () => {
  emulator = createEmulator();
  await emulator.listen();
  client = clientOf(emulator);
  const reviewed = await client.call('control', 'POST', '/tenants', {
    body: { domain: 'reviewed', name: 'Reviewed Ltd', customer: true },
  });
  known['reviewed'] = reviewed.json.tenantId;
  await client.call('control', 'POST', `/tenants/${known['reviewed']}/vetting`, {
    body: { status: 'UnderReview' },
  });
  const consenting = await client.call('control', 'POST', '/tenants', {
    body: { domain: 'consenting', name: 'Consenting Ltd', customer: true, gdapReady: true },
  });
  known['consenting'] = consenting.json.tenantId;
  const consent = `/v1/customers/${known['consenting']}/applicationconsents/${DEFAULT_CLIENT.clientId}`;
  await client.call('partnerCenter', 'DELETE', consent);
  await client.call('control', 'POST', `/tenants/${CUSTOMER}/sync`, { body: { enabled: true } });
  known['ems'] = await catalogueItem(client, CUSTOMER, 'CFQ7TTC0LHT4:0001');
  const bought = await buy(client, CUSTOMER, [{ id: known['ems'], quantity: 5 }]);
  known['order'] = bought.checkout.orders[0].id;
  await eventually(async () => (await seatsOf(client, CUSTOMER, EMS_SKU)) === 5);
  const { json: subscriptions } = await client.call(
    'partnerCenter',
    'GET',
    `/v1/customers/${CUSTOMER}/subscriptions?order_id=${known['order']}`,
  );
  known['subscription'] = subscriptions.items[0].id;
  const { json: users } = await client.call('graph', 'GET', '/v1.0/users', { tenant: CUSTOMER });
  const located = users.value.filter((user: Json) => user.usageLocation !== null);
  known['user'] = located[0].id;
  known['homeless'] = users.value.find((user: Json) => user.usageLocation === null).id;
  const body = { addLicenses: [{ skuId: EMS_SKU, disabledPlans: [] }], removeLicenses: [] };
  await client.call('graph', 'POST', `/v1.0/users/${known['user']}/assignLicense`, {
    body,
    tenant: CUSTOMER,
  });
  const { json: relationships } = await client.call(
    'graph',
    'GET',
    `/v1.0/tenantRelationships/delegatedAdminRelationships?$filter=customer/tenantId eq '${CUSTOMER}'`,
  );
  known['active'] = relationships.value[0].id;
  const group = '3a1d0c55-0000-4000-8000-00000000c5ed';
  emulator.world.directory.groups.put({
    id: group,
    tenantId: PARTNER.tenantId,
    displayName: 'Another',
    memberIds: [],
  });
  known['group'] = group;
});
afterAll(() => emulator.close());

/** Answers of earlier samples name what later ones ask about. */
const LEARNT: Record<string, readonly [name: string, field: string]> = {
  'a cart': ['cart', 'id'],
  'a request for admin rights': ['relationship', 'id'],
  'a test of the webhooks': ['test', 'correlationId'],
};

function filled<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value).replace(/\{([a-z]+)\}/g, (text, name: string) => known[name] ?? text),
  ) as T;
}

async function ask(sample: Sample, service: 'partnerCenter' | 'graph') {
  const { method, path, headers, body } = filled(sample.request) ?? { method: 'GET', path: '/' };
  const options = {
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
    ...(sample.tenant === 'customer' ? { tenant: CUSTOMER } : {}),
  };
  const answer = await client.call(service, method, path, options);
  const learnt = LEARNT[sample.name];
  if (learnt !== undefined) known[learnt[0]] = answer.json[learnt[1]];
  return answer;
}

const SETTLING = [
  'seats',
  'the licences of a user',
  'locking it for approval',
  'how the test of the webhooks went',
];

describe.each(['partner-center', 'graph'] as const)('the emulator answers as %s is documented:', (file) => {
  const samples = samplesOf(file).filter(({ request }) => request !== undefined);

  it.each(samples)('$name', async (sample) => {
    const service = file === 'graph' ? 'graph' : 'partnerCenter';
    const settles = SETTLING.includes(sample.name);

    const check = async (): Promise<void> => {
      const { status, json } = await ask(sample, service);
      expect({ status, differences: differences(sample, json) }).toEqual({
        status: sample.status,
        differences: [],
      });
    };

    await (settles ? eventually(check) : check());
  });
});

describe('the comparison', () => {
  const sample = { ...samplesOf('graph')[0], leftOut: [], also: [], alsoAny: false } as Sample;
  const answer = { a: 1, list: [{ b: 'x', c: null }], none: [] };

  it.each([
    ['a field that is missing', { a: 1, list: [{ b: 'x' }], none: [] }, ['list.c is missing']],
    [
      'a field of another type',
      { a: '1', list: [{ b: 'x', c: null }], none: [] },
      ['a is string, not number'],
    ],
    ['a field nobody documented', { ...answer, extra: true }, ['extra is not documented']],
    ['nothing', answer, []],
  ])('finds %s', (_, given, wanted) => {
    expect(differences({ ...sample, answer }, given)).toEqual(wanted);
  });
});
