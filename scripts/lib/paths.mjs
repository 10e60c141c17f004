/** The three onboardings that `npm start` and `npm run demo` play, with what each must leave behind at Microsoft. */

const EMS = { productId: 'CFQ7TTC0LHT4', skuId: '0001', name: 'Enterprise Mobility + Security E3' };
const OFFICE = { productId: 'CFQ7TTC0LF8R', skuId: '0001', name: 'Office 365 E3' };
const line = (product, quantity) => ({ ...product, quantity, termDuration: 'P1Y', billingCycle: 'monthly' });

/** Short intervals: what takes days at Microsoft takes moments at the emulator. */
const settings = {
  consentPollMs: 5_000,
  consentHintPollMs: 200,
  consentHintPolls: 100,
  accessPollMs: 200,
  accessSettleMs: 300,
  customerPollMs: 300,
  agreementPollMs: 1_000,
  vettingPollMs: 300,
  orderLookupMs: 1_000,
  orderPollMs: 200,
  seatsPollMs: 200,
  licenceRetryMs: 500,
  syncPollMs: 1_000,
};

const ROLES = [
  '4d6ac14f-3453-41d0-bef9-a3e0c569773a',
  'fe930be7-5e62-47db-91af-98c3a49a38b1',
  '88d8e3e3-8f55-4a1e-953a-9b9898b8876b',
  '158c047a-c907-4556-b7ef-446551a6b5f7',
];

const common = (groupId) => ({
  partner: { name: 'Northwind Cloud Partner', roles: ROLES, access: [{ groupId, roles: ROLES }] },
  licences: { mode: 'all', usageLocation: 'US' },
  directory: { model: 'cloud-only' },
  attested: {
    'admin-access': 'The Global Administrator of the customer confirmed it by phone.',
    identities: 'The users exist in the cloud.',
  },
  settings,
});

/**
 * `tag` tells two plays on one emulator apart; `groupId` is the security group that gets the roles. `expected` is read
 * against the emulator's books.
 */
export function pathsToPlay({ tag, groupId }) {
  return [
    {
      path: '3.1',
      title: 'Existing Office 365 customer',
      workflow: 'onboard-existing-office-customer',
      input: {
        ...common(groupId),
        customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
        invitation: { mode: 'review', to: ['it@contoso.example'] },
        order: { lines: [line(EMS, 25)] },
      },
      expected: { customer: 'Contoso Ltd', orders: [{ EMS: 25 }], tenantsCreated: 0, licences: { EMS: 4 } },
    },
    {
      path: '3.2',
      title: 'Existing CSP customer',
      workflow: 'onboard-existing-csp-customer',
      input: {
        ...common(groupId),
        customer: { name: 'Fabrikam', domain: 'fabrikam.example' },
        order: { lines: [line(EMS, 30)] },
      },
      expected: { customer: 'Fabrikam Inc', orders: [{ EMS: 30 }], tenantsCreated: 0, licences: { EMS: 4 } },
    },
    {
      path: '3.3',
      title: 'New customer',
      workflow: 'onboard-new-customer',
      input: {
        ...common(groupId),
        customer: {
          name: `Adventure Works ${tag}`,
          domainPrefix: `adventureworks${tag}`,
          contact: {
            firstName: 'Ada',
            lastName: 'Meyer',
            email: 'ada@adventure-works.example',
            phoneNumber: '4255550100',
          },
          address: {
            line1: '1 Example Way',
            city: 'Redmond',
            state: 'WA',
            postalCode: '98052',
            country: 'US',
          },
        },
        order: { lines: [line(EMS, 10), line(OFFICE, 10)] },
      },
      expected: {
        customer: `Adventure Works ${tag}`,
        // Microsoft makes an order of each line.
        orders: [{ EMS: 10 }, { ENTERPRISEPACK: 10 }],
        tenantsCreated: 1,
        licences: { EMS: 1, ENTERPRISEPACK: 1 },
      },
    },
  ];
}
