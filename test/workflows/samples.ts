/** Answers the world may give: at least one for each turn a statechart may take. */
import { DEFAULT_SETTINGS, type Settings } from '../../workflows/settings.ts';

export const TENANT = '6f0c1111-0000-4000-8000-000000000001';
export const GROUP = '0f0c2222-0000-4000-8000-000000000001';
export const EMS_SKU = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
export const ROLE = '4d6ac14f-3453-41d0-bef9-a3e0c569773a';
export const NOW = '2026-11-02T10:00:00Z';
export const CUSTOMER = { name: 'Contoso Ltd', tenantId: TENANT };

/** Few repetitions, so that walks over all paths stay short. */
export const SETTINGS: Settings = {
  ...DEFAULT_SETTINGS,
  consentHintPolls: 1,
  reminderAfterMs: [1],
  licenceRetries: 1,
};

export const LINE = {
  productId: 'CFQ7TTC0LHT4',
  skuId: '0001',
  name: 'Enterprise Mobility + Security E3',
  quantity: 25,
  termDuration: 'P1Y' as const,
  billingCycle: 'monthly' as const,
};
export const ITEM = 'CFQ7TTC0LHT4:0001:CFQ7TTC0K97X';
export const CATALOGUE_LINE = { ...LINE, catalogItemId: ITEM, graphSkuId: EMS_SKU, problem: null };
export const CART_LINE = {
  line: 0,
  catalogItemId: ITEM,
  quantity: 25,
  currency: 'USD',
  unitPrice: 8.48,
  extendedPrice: 2544,
  orderGroup: '0',
  error: null,
};
export const CART = {
  cartId: 'cart-1',
  status: 'active' as const,
  expiresAt: '2026-11-09T10:00:00Z',
  expired: false,
  lines: [CART_LINE],
  currency: 'USD',
  totalPrice: 2544,
  priceHash: 'hash-1',
};
export const ORDER_LINE = {
  line: 0,
  catalogItemId: ITEM,
  quantity: 25,
  subscriptionId: 'subscription-1',
  fulfilled: true,
};
export const PLACED = {
  orderId: 'order-1',
  status: 'completed' as const,
  placedAt: NOW,
  totalPrice: 2544,
  currency: 'USD',
  lines: [ORDER_LINE],
};
const UNDO = {
  name: 'Enterprise Mobility + Security E3',
  quantity: 25,
  status: 'active' as const,
  until: NOW,
  msLeft: 604_800_000,
};
export const FOREIGN = {
  name: 'SPE_E3',
  quantity: 12,
  owner: 'customer' as const,
  containsEms: true,
};
export const SUBSCRIPTION = {
  subscriptionId: 'subscription-1',
  name: 'Enterprise Mobility + Security E3',
  offerId: ITEM,
  commerce: 'new' as const,
  quantity: 25,
  status: 'active' as const,
  termDuration: 'P1Y',
  billingCycle: 'monthly',
  orderId: 'order-1',
  cancellationAllowedUntil: '2026-11-09T10:00:00Z',
  containsEms: true,
  isEms: true,
  graphSkuId: EMS_SKU,
};
export const SEATS = { skuId: EMS_SKU, present: true, enabled: 50, consumed: 3, free: 47 };
export const ADDRESS = {
  line1: '1 Example Way',
  line2: null,
  city: 'Redmond',
  state: 'WA',
  postalCode: '98052',
  country: 'US',
};
export const CONTACT = {
  firstName: 'Ada',
  lastName: 'Meyer',
  email: 'ada@contoso.example',
  phoneNumber: '4255550100',
};
export const RULES = {
  country: 'US',
  defaultCulture: 'en-US',
  defaultLanguage: 'en',
  supportedCultures: ['en-US'],
  supportedLanguages: ['en'],
  stateRequired: true,
  states: ['WA', 'AK'],
  cityRequired: true,
  postalCodeRequired: true,
  postalCodeRegex: '^\\d{5}(-\\d{4})?$',
  phoneNumberRegex: '^\\d{10}$',
  registrationNumberSupported: false,
};
const user = {
  userId: GROUP,
  userPrincipalName: 'ada@contoso.example',
  displayName: 'Ada',
  enabled: true,
  usageLocation: 'US',
  synchronised: false,
  holds: [],
};
const outcome = (kind: 'assigned' | 'pending' | 'failed') => ({
  outcomes: [{ userPrincipalName: 'ada@contoso.example', outcome: kind, code: null, message: null }],
});
const relationship = (status: string) => ({ status, activatedAt: null, endsAt: null, readAt: NOW });
const found = (reseller: boolean) => ({ visible: reseller, reseller, name: null, domain: null, readAt: NOW });

/** Outputs by activity name. */
export const ANSWERS: Record<string, readonly unknown[]> = {
  requestRelationship: [{ resellerLink: 'https://admin.example/reseller' }],
  createAdminRelationship: [{ relationshipId: 'gdap-1', displayName: 'onb Contoso', status: 'created' }],
  lockAdminRelationship: [{ status: 'approvalPending', adminLink: 'https://admin.example/gdap-1' }],
  readRelationship: [found(true), found(false)],
  readAdminRelationship: [relationship('active'), relationship('approvalPending'), relationship('expired')],
  findAdminRelationship: [
    { relationshipId: 'gdap-0', status: 'active', endsAt: null },
    { relationshipId: null, status: null, endsAt: null },
  ],
  terminateAdminRelationship: [{ outcome: 'termination-requested' }],
  assignAccess: [{ assigned: [{ groupId: GROUP, assignmentId: 'assignment-1' }] }],
  readAccess: [
    { groups: [{ groupId: GROUP, status: 'active' }], allActive: true },
    { groups: [{ groupId: GROUP, status: 'pending' }], allActive: false },
  ],
  grantAppConsent: [{ outcome: 'granted' }, { outcome: 'not-ready' }],
  checkCustomerAccess: [
    { accessible: true, reason: null, message: null },
    { accessible: false, reason: 'not-propagated', message: 'Not yet.' },
    { accessible: false, reason: 'conditional-access', message: 'Blocked by policy.' },
  ],
  sendInvitation: [
    { messageId: '<1@partner.example>', sentAt: NOW, rejected: [] },
    { messageId: '<2@partner.example>', sentAt: NOW, rejected: ['it@contoso.example'] },
  ],
  findTenant: [
    { tenantId: TENANT, displayName: 'Contoso Ltd', defaultDomain: 'contoso.onmicrosoft.com' },
    { tenantId: null, displayName: null, defaultDomain: null },
  ],
  findCustomer: [
    {
      matches: [
        {
          customerId: TENANT,
          name: 'Contoso Ltd',
          domain: 'contoso.onmicrosoft.com',
          relationship: 'reseller',
          country: 'US',
        },
      ],
      truncated: false,
    },
    { matches: [], truncated: false },
    {
      matches: [
        {
          customerId: TENANT,
          name: 'Contoso Ltd',
          domain: 'contoso.onmicrosoft.com',
          relationship: 'reseller',
          country: 'US',
        },
        {
          customerId: GROUP,
          name: 'Contoso GmbH',
          domain: 'contosogmbh.onmicrosoft.com',
          relationship: 'reseller',
          country: 'US',
        },
      ],
      truncated: false,
    },
  ],
  readUndoWindow: [UNDO, { ...UNDO, msLeft: 0 }, { ...UNDO, status: 'deleted' }],
  cancelSubscription: [
    { outcome: 'accepted' },
    { outcome: 'refused', code: '900117', message: 'The window is over.' },
  ],
  listSubscriptions: [
    { subscriptions: [SUBSCRIPTION], elsewhere: [], elsewhereKnown: true },
    { subscriptions: [], elsewhere: [FOREIGN], elsewhereKnown: true },
    { subscriptions: [], elsewhere: [], elsewhereKnown: false },
  ],
  readSubscription: [
    SUBSCRIPTION,
    { ...SUBSCRIPTION, quantity: 35 },
    { ...SUBSCRIPTION, graphSkuId: null },
    { ...SUBSCRIPTION, status: 'suspended' },
  ],
  checkDomain: [{ available: true }, { available: false }],
  validateAddress: [
    { status: 'accepted', suggestions: [], message: null },
    { status: 'suggested', suggestions: [ADDRESS], message: null },
    { status: 'invalid', suggestions: [], message: 'No such street.' },
  ],
  readCountryRules: [RULES, { ...RULES, states: ['AK'] }],
  createCustomer: [
    {
      outcome: 'created',
      customerId: TENANT,
      domain: 'contoso.onmicrosoft.com',
      userName: 'admin',
      passwordSealed: true,
      createdAt: NOW,
    },
    {
      outcome: 'created',
      customerId: TENANT,
      domain: 'contoso.onmicrosoft.com',
      userName: 'admin',
      passwordSealed: false,
      createdAt: NOW,
    },
    { outcome: 'refused', field: 'domain', code: '409', message: 'Taken.' },
  ],
  readVetting: [{ status: 'allowed' }, { status: 'under-review' }, { status: 'not-allowed' }],
  readAgreement: [
    { accepted: true, how: 'direct' },
    { accepted: false, how: null },
  ],
  attestAgreement: [{ outcome: 'attested' }],
  resolveCatalogue: [
    { lines: [CATALOGUE_LINE] },
    { lines: [{ ...CATALOGUE_LINE, graphSkuId: null }] },
    { lines: [{ ...CATALOGUE_LINE, catalogItemId: null, problem: 'Not for sale.' }] },
  ],
  createCart: [
    CART,
    { ...CART, lines: [{ ...CART_LINE, error: { code: '10015', message: 'Too many seats.' } }] },
  ],
  readCart: [
    { cart: CART, readAt: NOW },
    { cart: { ...CART, priceHash: 'hash-2' }, readAt: NOW },
    { cart: { ...CART, status: 'ordered' }, readAt: NOW },
    { cart: null, readAt: NOW },
  ],
  checkoutCart: [
    { outcome: 'ordered', orders: [PLACED], refusedGroups: [] },
    {
      outcome: 'ordered',
      orders: [PLACED],
      refusedGroups: [{ orderGroup: '0', code: '800025', message: 'Credit.' }],
    },
    { outcome: 'refused', reason: 'agreement-missing', code: '13605', message: 'No agreement.' },
    { outcome: 'refused', reason: 'catalogue-changed', code: '400019', message: 'Gone.' },
    { outcome: 'refused', reason: 'other', code: '800069', message: 'Risk.' },
    { outcome: 'refused', reason: 'credit', code: '800025', message: 'Credit.' },
    { outcome: 'refused', reason: 'partner', code: '900124', message: 'Unsigned.' },
  ],
  findOrder: [{ orders: [PLACED] }, { orders: [] }, { orders: [PLACED, { ...PLACED, orderId: 'order-2' }] }],
  readOrder: [{ order: PLACED }, { order: null }, { order: { ...PLACED, status: 'cancelled' } }],
  changeSeats: [
    { outcome: 'accepted', quantity: 35 },
    { outcome: 'refused', code: '800067', message: 'Too many.' },
  ],
  readSeats: [
    { seats: [SEATS] },
    { seats: [{ skuId: EMS_SKU, present: false, enabled: 0, consumed: 0, free: 0 }] },
    { seats: [{ skuId: EMS_SKU, present: true, enabled: 1, consumed: 1, free: 0 }] },
  ],
  listUsers: [
    { users: [user], total: 1, synchronised: 0, truncated: false },
    { users: [], total: 0, synchronised: 0, truncated: false },
    { users: [user], total: 2_001, synchronised: 0, truncated: true },
  ],
  findUsers: [
    { users: [user], unknown: [] },
    { users: [], unknown: ['ada@contoso.example'] },
  ],
  addDomain: [
    { verified: false, records: [{ type: 'TXT', name: '@', value: 'MS=ms1', ttl: 3600 }], problem: null },
    { verified: true, records: [], problem: null },
  ],
  verifyDomain: [{ verified: true }, { verified: false }],
  openUndoWindows: [{ instanceIds: ['undo_1'] }],
  assignLicences: [outcome('assigned'), outcome('pending'), outcome('failed')],
  verifyTenant: [
    { name: 'Contoso Ltd', verifiedDomains: ['contoso.example'], active: true, missing: [], verifiedAt: NOW },
    { name: 'Contoso Ltd', verifiedDomains: [], active: false, missing: ['AAD_PREMIUM'], verifiedAt: NOW },
  ],
  verifySync: [
    { enabled: true, lastSyncAt: NOW, fresh: true, synchronisedUsers: 12, errors: 0, verifiedAt: NOW },
    { enabled: false, lastSyncAt: null, fresh: false, synchronisedUsers: 0, errors: 0, verifiedAt: NOW },
  ],
  checkPartnerAccess: [
    { adminAgent: true, signedInAs: 'ops@partner.example', missingGroupIds: [] },
    { adminAgent: false, signedInAs: null, missingGroupIds: [] },
  ],
  checkTooling: [{ ready: true, message: null }],
  checkSignIn: [
    { fine: true, problem: null },
    { fine: false, problem: 'Expired.' },
  ],
  resumeQueues: [{ queues: ['graph'] }],
  writeClosingReport: [{ closedAt: NOW }],
};

const provisioned = {
  outcome: 'done',
  verified: true,
  subscriptions: [
    {
      subscriptionId: 'subscription-1',
      name: LINE.name,
      quantity: 25,
      cancellationAllowedUntil: '2026-11-09T10:00:00Z',
    },
  ],
  seats: [SEATS],
};
const ordered = {
  outcome: 'done',
  orders: [{ orderId: 'order-1', totalPrice: 2544, currency: 'USD', placedAt: NOW }],
  lines: [{ name: LINE.name, quantity: 25 }],
  skuIds: [EMS_SKU],
  expectedSeats: [{ skuId: EMS_SKU, enabled: 25 }],
  agreement: { how: 'attested', by: 'Ada Meyer', on: NOW },
  waivers: [],
  provisioning: provisioned,
};
const seated = {
  outcome: 'done',
  subscriptionId: 'subscription-1',
  baseQuantity: 25,
  targetQuantity: 35,
  changed: true,
  skuIds: [EMS_SKU],
  expectedSeats: [{ skuId: EMS_SKU, enabled: 35 }],
  agreement: null,
  waivers: [],
  provisioning: provisioned,
};
const counts = { assigned: 1, already: 0, failed: 0, pending: 0 };
const consented = {
  outcome: 'done',
  relationshipId: 'gdap-1',
  commerceGranted: true,
  adminGranted: true,
  reminders: 0,
  leftBehind: [],
  waivers: [],
};
const integrated = {
  outcome: 'done',
  tenant: { active: true, missing: [], verifiedDomains: ['contoso.example'], verifiedAt: NOW },
  model: 'cloud-only',
  installation: null,
  tool: null,
  sync: null,
  writeBack: null,
  installed: null,
  domain: null,
  waivers: [],
};
const accessed = { outcome: 'done', relationshipId: 'gdap-1', groupIds: [GROUP], waivers: [] };
const authorised = { outcome: 'done', consent: consented, access: accessed };
const purchased = {
  outcome: 'done',
  subscriptions: [SUBSCRIPTION],
  ordering: ordered,
  seats: null,
  expectedSeats: ordered.expectedSeats,
  waivers: [],
};
const licensed = { outcome: 'done', outcomes: outcome('assigned').outcomes, counts, seats: null };
const facts = {
  prerequisites: null,
  consent: consented,
  access: accessed,
  ordering: ordered,
  seats: null,
  subscriptions: [SUBSCRIPTION],
  seatsVerified: provisioned,
  licences: licensed,
  directory: integrated,
  withdrawn: false,
  waivers: [],
};
const report = {
  outcome: 'completed',
  customer: { name: 'Contoso', tenantId: TENANT },
  ordered: { orders: [{ orderId: 'order-1' }] },
};
const endings = (output: object) => [
  output,
  { ...output, outcome: 'canceled' },
  { ...output, outcome: 'abandoned' },
];

/** Outputs by child machine. */
export const OUTCOMES: Record<string, readonly unknown[]> = {
  prerequisites: endings({
    outcome: 'done',
    met: [{ condition: 'tooling', how: 'checked', evidence: 'Answered.' }],
  }),
  consent: endings(consented),
  access: [
    ...endings(accessed),
    { outcome: 'no-relationship', relationshipId: null, groupIds: [], waivers: [] },
  ],
  clearance: endings({ outcome: 'done', agreement: { how: 'direct', by: null, on: null }, waivers: [] }),
  ordering: [
    ...endings(ordered),
    {
      ...ordered,
      outcome: 'rejected',
      orders: [],
      lines: [],
      skuIds: [],
      expectedSeats: [],
      provisioning: null,
    },
  ],
  seats: [
    ...endings(seated),
    { ...seated, outcome: 'rejected', changed: false, expectedSeats: [], provisioning: null },
  ],
  provisioning: endings(provisioned),
  'route-onboarding': [
    {
      path: 'onboard-existing-csp-customer',
      why: 'Ours.',
      tenantId: TENANT,
      tenantName: 'Contoso',
      domain: 'contoso.example',
    },
    {
      path: 'onboard-new-customer',
      why: 'No tenant.',
      tenantId: null,
      tenantName: null,
      domain: 'contoso.example',
    },
    { path: null, why: 'Broken.', tenantId: null, tenantName: null, domain: 'contoso.example' },
  ],
  'onboard-existing-csp-customer': endings(report),
  'onboard-existing-office-customer': endings(report),
  authorisation: endings(authorised),
  purchase: [
    ...endings(purchased),
    { ...purchased, ordering: null, seats: null, expectedSeats: [], subscriptions: [] },
  ],
  delivery: endings({ outcome: 'done', facts }),
  licences: endings(licensed),
  directory: endings(integrated),
};

/** Payloads by signal. */
export const PAYLOADS: Record<string, readonly object[]> = {
  'cancel.requested': [{ reason: 'The customer changed its mind.', by: 'ops' }],
  'retry.requested': [{ by: 'ops' }],
  'work.abandoned': [{ reason: 'No use.', by: 'ops' }],
  'prerequisite.attested': [
    { condition: 'partner-access', evidence: 'Seen in the portal.', by: 'ops' },
    { condition: 'domain', evidence: 'Seen in the portal.', by: 'ops' },
    { condition: 'admin-access', evidence: 'Ada Meyer is Global Administrator.', by: 'ops' },
    { condition: 'identities', evidence: 'Cloud-only, says Ada Meyer.', by: 'ops' },
  ],
  'task.overridden': [{ reason: 'The customer cannot wait.', by: 'boss' }],
  'order.explained': [{ evidence: 'Ordered by telephone, outside.', by: 'boss' }],
  'clean-up.requested': [{ ticket: '24011', evidence: 'Opened by telephone.', by: 'ops' }],
  'consent.reseller.overridden': [{ reason: 'Seen in the portal.', by: 'boss' }],
  'consent.admin.overridden': [{ reason: 'Seen in the portal.', by: 'boss' }],
  'rows.dropped': [{ reason: 'Left the company.', by: 'ops' }],
  'seats.wanted': [{ subscriptionId: 'subscription-1', additionalSeats: 5, by: 'ops' }],
  'domain.corrected': [{ domain: 'contoso.example', by: 'ops' }],
  'invitation.approved': [
    { subject: 'Hello', body: 'https://admin.example/reseller https://admin.example/gdap-1', by: 'ops' },
  ],
  'invitation.sent-by-hand': [{ by: 'ops' }],
  'consent.reseller.granted': [{ source: 'webhook' }],
  'consent.admin.granted': [{ source: 'webhook' }],
  'consent.admin.ended': [{ source: 'webhook' }],
  'invitation.bounced': [{ source: 'mailbox' }],
  'shortage.accepted': [{ by: 'ops' }],
  'undo.requested': [{ reason: 'Bought by mistake.', by: 'ops' }],
  'undo.declined': [{ by: 'ops' }],
  'consent.declined': [{ reason: 'Too dear.', by: 'ops' }],
  'resend.requested': [{ by: 'ops' }],
  'search.changed': [{ companyName: 'Cont', by: 'ops' }],
  'customer.chosen': [{ customerId: TENANT, by: 'ops' }],
  'subscriptions.reviewed': [
    { plan: 'new-subscription', by: 'ops' },
    { plan: 'more-seats', subscriptionId: 'subscription-1', additionalSeats: 10, by: 'ops' },
    { plan: 'nothing', by: 'ops' },
  ],
  'agreement.confirmed': [{ contact: CONTACT, dateAgreed: NOW, by: 'ops' }],
  'order.approved': [
    { cartId: 'cart-1', priceHash: 'hash-1', by: 'boss' },
    { cartId: 'cart-1', priceHash: 'hash-2', by: 'boss' },
  ],
  'order.rejected': [{ reason: 'Too dear.', by: 'boss' }],
  'order.lines-changed': [{ lines: [LINE], by: 'ops' }],
  'order.rest-dropped': [{ reason: 'Not needed.', by: 'boss' }],
  'order.found': [{ orderId: 'order-1', by: 'boss' }],
  'order.not-placed': [{ reason: 'Not in the history.', by: 'boss' }],
  'seats.approved': [{ subscriptionId: 'subscription-1', targetQuantity: 35, by: 'boss' }],
  'seats.rejected': [{ reason: 'Too dear.', by: 'boss' }],
  'provisioning.accepted': [{ reason: 'Good enough.', by: 'ops' }],
  'form.corrected': [{ companyName: 'Contoso Inc', by: 'ops' }],
  'address.chosen': [{ address: ADDRESS, by: 'ops' }],
  'sign-in.handed-over': [{ to: 'Ada Meyer', evidence: 'By telephone.', by: 'ops' }],
  'users.chosen': [
    { mode: 'all', by: 'ops' },
    { mode: 'chosen', users: [{ userPrincipalName: 'ada@contoso.example', usageLocation: null }], by: 'ops' },
    { mode: 'none', by: 'ops' },
  ],
  'outcomes.accepted': [{ reason: 'Later.', by: 'ops' }],
  'directory.decided': [
    {
      model: 'synchronised',
      passwordWriteBack: true,
      organisationalUnitFiltering: false,
      groupFiltering: false,
      sqlServer: false,
      existingServiceAccount: false,
      by: 'ops',
    },
    {
      model: 'cloud-only',
      passwordWriteBack: false,
      organisationalUnitFiltering: false,
      groupFiltering: false,
      sqlServer: false,
      existingServiceAccount: false,
      domain: 'contoso.com',
      by: 'ops',
    },
  ],
  'sync.reported': [
    { tool: 'connect-sync', toolVersion: '2.6.79', evidence: 'Write-back on, two units chosen.', by: 'ops' },
  ],
  'write-back.attested': [
    { evidence: 'Pilot reset seen on the domain controller.', pilotUser: 'ada', by: 'ops' },
  ],
  'write-back.waived': [{ reason: 'Not wanted.', by: 'ops' }],
};

const partner = {
  name: 'Northwind Cloud',
  escalateTo: ['boss@partner.example'],
  access: [{ groupId: GROUP, roles: [ROLE] }],
};
const tail = {
  partner,
  invitation: { to: ['it@contoso.example'] },
  order: { lines: [LINE] },
  licences: { usageLocation: 'US' },
  settings: SETTINGS,
};

export const IMPORT_ROW = {
  company: 'Contoso Ltd',
  domain: 'contoso.example',
  partner_name: 'Northwind Cloud',
  group_ids: GROUP,
  seats: '25',
  usage_location: 'US',
};

/** What is given to `start`, before the input schema has seen it; by workflow name. */
export const STARTS: Record<string, unknown> = {
  'onboard-existing-office-customer': {
    ...tail,
    customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
  },
  'onboard-existing-csp-customer': { ...tail, customer: { name: 'Contoso' } },
  'onboard-new-customer': {
    ...tail,
    customer: { name: 'Contoso Ltd', domainPrefix: 'contoso', contact: CONTACT, address: ADDRESS },
  },
  prerequisites: {
    customerName: 'Contoso Ltd',
    tenantId: TENANT,
    domain: 'contoso.example',
    groupIds: [GROUP],
    attested: {},
    settings: SETTINGS,
  },
  consent: {
    customer: CUSTOMER,
    partnerName: 'Northwind Cloud',
    needs: { commerce: true, admin: true },
    invitation: { mode: 'review', to: ['it@contoso.example'], escalateTo: ['boss@partner.example'] },
    admin: { roles: [ROLE], duration: 'P730D', autoExtendDuration: 'P180D' },
    settings: SETTINGS,
  },
  access: {
    customer: CUSTOMER,
    relationshipId: null,
    relationshipExpected: true,
    roles: [ROLE],
    assignments: [{ groupId: GROUP, roles: [ROLE] }],
    settings: SETTINGS,
  },
  clearance: { customer: CUSTOMER, settings: SETTINGS },
  ordering: { customer: CUSTOMER, lines: [LINE], priceCeiling: null, held: [], settings: SETTINGS },
  seats: {
    customer: CUSTOMER,
    subscriptionId: 'subscription-1',
    additionalSeats: 10,
    held: [],
    settings: SETTINGS,
  },
  provisioning: {
    customer: CUSTOMER,
    orderIds: ['order-1'],
    subscriptionIds: [],
    expectedSeats: [{ skuId: EMS_SKU, enabled: 50 }],
    settings: SETTINGS,
  },
  licences: {
    customer: CUSTOMER,
    skuIds: [EMS_SKU],
    defaultUsageLocation: 'US',
    mode: 'ask',
    users: [],
    growable: [SUBSCRIPTION],
    held: [{ skuId: EMS_SKU, enabled: 25 }],
    settings: SETTINGS,
  },
  directory: { customer: CUSTOMER, skuIds: [EMS_SKU], model: 'ask', domain: null, settings: SETTINGS },
  delivery: { ...tail, customer: CUSTOMER, needsCommerce: true, fresh: false },
  authorisation: {
    customer: CUSTOMER,
    partnerName: 'Northwind Cloud',
    needsCommerce: true,
    relationshipExpected: false,
    invitation: { mode: 'review', to: ['it@contoso.example'], escalateTo: [], text: null },
    admin: { roles: [ROLE], duration: 'P730D', autoExtendDuration: 'P180D' },
    assignments: [{ groupId: GROUP, roles: [ROLE] }],
    settings: SETTINGS,
  },
  purchase: {
    customer: CUSTOMER,
    lines: [LINE],
    priceCeiling: null,
    markets: ['US'],
    fresh: false,
    settings: SETTINGS,
  },
  'undo-purchase': { customer: CUSTOMER, subscriptionId: 'subscription-1' },
  'renew-sign-in': { problem: 'AADSTS700082: expired' },
  'stray-order': {
    customer: CUSTOMER,
    orderId: 'order-9',
    placedAt: NOW,
    kind: 'orphan',
    what: '25 seats',
  },
  'route-onboarding': { domain: 'contoso.example' },
  'onboard-many': {
    title: 'list.csv',
    rows: [
      { line: 2, raw: IMPORT_ROW },
      { line: 3, raw: { ...IMPORT_ROW, path: 'onboard-existing-office-customer' } },
    ],
    batch: 1,
  },
};

/** More starts, where one does not lead everywhere. */
export const OTHER_STARTS: Record<string, readonly unknown[]> = {
  consent: [
    {
      ...(STARTS['consent'] as object),
      needs: { commerce: false, admin: true },
      invitation: { mode: 'send', to: ['it@contoso.example'], escalateTo: [] },
    },
  ],
  access: [{ ...(STARTS['access'] as object), relationshipExpected: false }],
  directory: [{ ...(STARTS['directory'] as object), model: 'cloud-only' }],
  licences: [
    { ...(STARTS['licences'] as object), mode: 'all' },
    {
      ...(STARTS['licences'] as object),
      mode: 'listed',
      users: [
        { userPrincipalName: 'ada@contoso.example', usageLocation: null },
        { userPrincipalName: 'eve@contoso.example', usageLocation: null },
      ],
    },
  ],
  delivery: [{ ...(STARTS['delivery'] as object), needsCommerce: false, fresh: true }],
  authorisation: [
    { ...(STARTS['authorisation'] as object), needsCommerce: false, relationshipExpected: true },
  ],
  purchase: [
    { ...(STARTS['purchase'] as object), markets: ['JP'] },
    { ...(STARTS['purchase'] as object), fresh: true },
  ],
  'undo-purchase': [{ ...(STARTS['undo-purchase'] as object), restoreTo: 20 }],
};
