/** Plain fetch against a running emulator, as a connector would call it, without being one. */
import { DEFAULT_CLIENT, type Emulator, PARTNER, type Urls } from '../../emulator/index.ts';
import { eventually } from '../support/eventually.ts';

export const ROLES = {
  licences: '4d6ac14f-3453-41d0-bef9-a3e0c569773a',
  users: 'fe930be7-5e62-47db-91af-98c3a49a38b1',
  readers: '88d8e3e3-8f55-4a1e-953a-9b9898b8876b',
  applications: '158c047a-c907-4556-b7ef-446551a6b5f7',
} as const;

export const EMS_SKU = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';

// biome-ignore lint/suspicious/noExplicitAny: answers of a foreign service, looked into by tests only
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Json;
}

export type Service = 'partnerCenter' | 'graph' | 'control';

export interface Client {
  readonly urls: Urls;
  /** A call with the partner user's token (customer's token when `tenant` is given). */
  call(service: Service, method: string, path: string, options?: CallOptions): Promise<Answer>;
  token(resource: string, tenant?: string, form?: Record<string, string>): Promise<Answer>;
  books(): Promise<Json>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly tenant?: string;
  readonly bearer?: string;
}

const RESOURCES = {
  partnerCenter: 'https://api.partnercenter.microsoft.com',
  graph: 'https://graph.microsoft.com',
} as const;

export function clientOf(emulator: Pick<Emulator, 'urls'>): Client {
  return clientOfUrls(emulator.urls());
}

export function clientOfUrls(urls: Urls): Client {
  const token: Client['token'] = async (resource, tenant = PARTNER.tenantId, form = {}) => {
    const response = await fetch(`${urls.authority}/${tenant}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: DEFAULT_CLIENT.refreshToken,
        client_id: DEFAULT_CLIENT.clientId,
        client_secret: DEFAULT_CLIENT.clientSecret,
        scope: `${resource}/.default`,
        ...form,
      }),
    });
    return { status: response.status, headers: response.headers, json: await response.json() };
  };
  const call: Client['call'] = async (service, method, path, options = {}) => {
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
    if (service !== 'control') {
      const bearer = options.bearer ?? (await token(RESOURCES[service], options.tenant)).json.access_token;
      headers['authorization'] = `Bearer ${bearer}`;
    }
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(`${urls[service]}${path}`, {
      method,
      headers,
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
    return { status: response.status, headers: response.headers, json: isJson ? JSON.parse(text) : text };
  };
  return { urls, call, token, books: async () => (await call('control', 'GET', '/books')).json };
}

/** Creates and locks a GDAP relationship, as steps 3 of path 3.1 does. */
export async function requestGdap(client: Client, tenantId: string, displayName: string): Promise<string> {
  const base = '/v1.0/tenantRelationships/delegatedAdminRelationships';
  const made = await client.call('graph', 'POST', base, {
    body: {
      displayName,
      duration: 'P730D',
      autoExtendDuration: 'P180D',
      customer: { tenantId, displayName: 'Customer' },
      accessDetails: { unifiedRoles: Object.values(ROLES).map((roleDefinitionId) => ({ roleDefinitionId })) },
    },
  });
  const id: string = made.json.id;
  await eventually(
    async () =>
      (await client.call('graph', 'POST', `${base}/${id}/requests`, { body: { action: 'lockForApproval' } }))
        .status === 201,
  );
  await eventually(
    async () => (await client.call('graph', 'GET', `${base}/${id}`)).json.status === 'approvalPending',
  );
  return id;
}

export async function assignGroup(client: Client, relationshipId: string): Promise<void> {
  const base = `/v1.0/tenantRelationships/delegatedAdminRelationships/${relationshipId}/accessAssignments`;
  const made = await client.call('graph', 'POST', base, {
    body: {
      accessContainer: { accessContainerId: PARTNER.securityGroupId, accessContainerType: 'securityGroup' },
      accessDetails: { unifiedRoles: Object.values(ROLES).map((roleDefinitionId) => ({ roleDefinitionId })) },
    },
  });
  await eventually(
    async () => (await client.call('graph', 'GET', `${base}/${made.json.id}`)).json.status === 'active',
  );
}

export function consentApplication(client: Client, tenantId: string): Promise<Answer> {
  return client.call('partnerCenter', 'POST', `/v1/customers/${tenantId}/applicationconsents`, {
    body: {
      applicationId: DEFAULT_CLIENT.clientId,
      displayName: 'Onboarding',
      applicationGrants: [
        {
          enterpriseApplicationId: '00000003-0000-0000-c000-000000000000',
          scope: 'Directory.Read.All,User.ReadWrite.All,Organization.Read.All',
        },
      ],
    },
  });
}

/** The catalogue item of a product that this customer may buy now. */
export async function catalogueItem(client: Client, tenantId: string, product: string): Promise<string> {
  const [productId, sku] = product.split(':');
  const path = `/v1/customers/${tenantId}/products/${productId}/skus/${sku}/availabilities`;
  const { json } = await client.call('partnerCenter', 'GET', path);
  const chosen = json.items.find((item: Json) => item.isPurchasable && item.segment === 'commercial');
  return chosen.catalogItemId;
}

/** Cart, checkout, and waiting until the orders are completed; answers the checkout. */
export async function buy(
  client: Client,
  tenantId: string,
  items: readonly { id: string; quantity: number }[],
): Promise<Json> {
  const base = `/v1/customers/${tenantId}`;
  const cart = await client.call('partnerCenter', 'POST', `${base}/carts`, {
    body: {
      lineItems: items.map((item, id) => ({
        id,
        catalogItemId: item.id,
        quantity: item.quantity,
        billingCycle: 'monthly',
        termDuration: 'P1Y',
      })),
    },
  });
  const checkout = await client.call('partnerCenter', 'POST', `${base}/carts/${cart.json.id}/checkout`);
  for (const order of checkout.json.orders) {
    await eventually(
      async () =>
        (await client.call('partnerCenter', 'GET', `${base}/orders/${order.id}`)).json.status === 'completed',
    );
    await eventually(async () => {
      const { json } = await client.call(
        'partnerCenter',
        'GET',
        `${base}/orders/${order.id}/provisioningstatus`,
      );
      return json.items.every((line: Json) => line.status === 'fulfilled');
    });
  }
  return { cart: cart.json, checkout: checkout.json, status: checkout.status };
}

export function seatsOf(client: Client, tenantId: string, skuId: string): Promise<number> {
  return client
    .call('graph', 'GET', '/v1.0/subscribedSkus', { tenant: tenantId })
    .then(({ json }) => json.value.find((row: Json) => row.skuId === skuId)?.prepaidUnits.enabled ?? 0);
}
