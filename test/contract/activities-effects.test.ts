/** Activities that change the world, against the emulator, whose books tell what really happened. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { LEAST_ROLES } from '../../workflows/start-form.ts';
import {
  type EmulatedMicrosoft,
  type Performed,
  performActivity,
  startEmulatedMicrosoft,
} from '../support/emulated-microsoft.ts';
import { eventually } from '../support/eventually.ts';

const CHECKOUT = 'POST /pc/v1/customers/:customerId/carts/:cartId/checkout';
const CREATE = 'POST /pc/v1/customers';
const { fabrikam, contoso } = SEED_TENANTS;
const EMS = { productId: 'CFQ7TTC0LHT4', skuId: '0001', name: 'EMS', quantity: 5 };
const EMS_SKU = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
const OFFICE = { productId: 'CFQ7TTC0LF8R', skuId: '0001', name: 'Office', quantity: 5 };

let microsoft: EmulatedMicrosoft;
beforeEach(async () => {
  const delays = { gdapReplication: 20, gdapLock: 20, gdapActivation: 20, orderListed: 10, userVisible: 0 };
  microsoft = await startEmulatedMicrosoft({ delays });
});
afterEach(() => microsoft.close());

// biome-ignore lint/suspicious/noExplicitAny: outputs are parsed by their contract and compared by value here
const perform = async (name: string, input: unknown, options = {}): Promise<any> =>
  (await performActivity(microsoft, name, input, options)).output;
const performed = (name: string, input: unknown, options = {}): Promise<Performed> =>
  performActivity(microsoft, name, input, options);
const fault = (kind: string, route: string, more: object = {}) =>
  microsoft.emulator.addFault({ kind: kind as 'throttle', route, times: 1, ...more });
// biome-ignore lint/suspicious/noExplicitAny: the emulator's books are plain JSON
const books = (): any => microsoft.emulator.books();

async function filledCart(lines: readonly object[] = [EMS], instanceId = 'wf_1') {
  const { lines: resolved } = await perform('resolveCatalogue', { customerId: fabrikam, lines });
  const cart = await perform('createCart', { customerId: fabrikam, lines: resolved }, { instanceId });
  const wanted = cart.lines.map((line: { catalogItemId: string; quantity: number }) => ({
    catalogItemId: line.catalogItemId,
    quantity: line.quantity,
  }));
  const { readAt } = await perform('readCart', {
    customerId: fabrikam,
    cartId: cart.cartId,
    lines: resolved,
  });
  return { customerId: fabrikam, cartId: cart.cartId, lines: wanted, notBefore: readAt };
}

describe('checkoutCart', () => {
  it('places one order for a cart', async () => {
    const input = await filledCart();

    const output = await perform('checkoutCart', input);

    expect(output).toMatchObject({ outcome: 'ordered', refusedGroups: [], orders: [{ lines: input.lines }] });
    expect(books().orders).toHaveLength(1);
  });

  it('adopts the order whose answer was lost, and places no second one', async () => {
    const input = await filledCart([EMS, OFFICE]);
    fault('hang-up-after', CHECKOUT);

    const { output, verifications } = await performed('checkoutCart', input);

    expect(output).toMatchObject({ outcome: 'ordered' });
    expect(verifications).toBeGreaterThan(0);
    expect(books().orders.map(({ cartId }: { cartId: string }) => cartId)).toEqual([
      input.cartId,
      input.cartId,
    ]);
    expect(books().requests[CHECKOUT]).toBe(1);
  });

  it('checks the same cart out again when nothing came of the lost request', async () => {
    const input = await filledCart();
    fault('hang-up-before', CHECKOUT);

    const { output, verifications } = await performed('checkoutCart', input);

    expect(output).toMatchObject({ outcome: 'ordered' });
    expect(verifications).toBe(1);
    expect(books().orders).toHaveLength(1);
    expect(books().carts).toHaveLength(1);
  });

  it.each([800060, 800064, 800065])('takes %d for an unknown outcome and looks it up', async (code) => {
    const input = await filledCart();
    fault('error', CHECKOUT, { status: 409, code, description: 'The order is being processed.' });

    const { output, verifications } = await performed('checkoutCart', input);

    expect(output).toMatchObject({ outcome: 'ordered' });
    expect(verifications).toBe(1);
    expect(books().orders).toHaveLength(1);
  });

  it('takes a server error for an unknown outcome', async () => {
    const input = await filledCart();
    fault('error', CHECKOUT, { status: 503, code: 800003 });

    const { verifications } = await performed('checkoutCart', input);

    expect(verifications).toBe(1);
    expect(books().orders).toHaveLength(1);
  });

  it('stays unknown while the cart is ordered and no order shows', async () => {
    await microsoft.control('/delays', { orderListed: 60_000 }, 'PATCH');
    const input = await filledCart();
    fault('hang-up-after', CHECKOUT);

    const outcome = performed('checkoutCart', input, { attempts: 4 });

    await expect(outcome).rejects.toMatchObject({ kind: 'unknown' });
    expect(books().requests[CHECKOUT]).toBe(1);
    expect(books().orders).toHaveLength(1);
  });

  it('adopts no order from before the approval', async () => {
    const earlier = await filledCart();
    await perform('checkoutCart', earlier);
    await microsoft.control('/delays', { orderListed: 60_000 }, 'PATCH');
    const input = await filledCart();
    const later = { ...input, notBefore: new Date(Date.now() + 10_000).toISOString() };
    fault('hang-up-after', CHECKOUT);

    const outcome = performed('checkoutCart', later, { attempts: 2 });

    await expect(outcome).rejects.toMatchObject({ kind: 'unknown' });
  });

  describe('in a store that was set back', () => {
    const later = () => new Date(Date.now() + 10_000).toISOString();

    it('finds the order of an approval that nobody remembers, and places no second one', async () => {
      const forgotten = await filledCart();
      await perform('checkoutCart', forgotten);
      // Made after another approval, so that Microsoft takes it for another wish.
      const again = { ...(await filledCart([EMS], 'wf_2')), notBefore: later() };
      const lossSince = Date.parse(forgotten.notBefore) - 1_000;
      await eventually(async () =>
        expect((await perform('findOrder', again, { lossSince })).orders).toHaveLength(1),
      );

      await expect(performed('checkoutCart', again, { lossSince, attempts: 2 })).rejects.toMatchObject({
        kind: 'unknown',
      });
      expect((await perform('findOrder', again)).orders).toEqual([]);
      expect(books().orders).toHaveLength(1);
    });

    it('places the order of a cart that is open, where none was placed', async () => {
      const input = await filledCart();

      const { verifications } = await performed('checkoutCart', input, { lossSince: 0 });

      expect(verifications).toBe(1);
      expect(books().orders).toHaveLength(1);
    });
  });

  it.each([
    [13605, 'agreement-missing'],
    [800074, 'account-under-review'],
    [800075, 'account-refused'],
    [800025, 'credit'],
  ])('ends a clean refusal %d as refused: %s', async (code, reason) => {
    const input = await filledCart();
    fault('error', CHECKOUT, { status: 403, code, description: 'No.' });

    const { output, attempts } = await performed('checkoutCart', input);

    expect(output).toMatchObject({ outcome: 'refused', reason, code: String(code) });
    expect(attempts).toBe(1);
    expect(books().orders).toEqual([]);
  });

  it('says that the catalogue changed when the availability is gone', async () => {
    const input = await filledCart();
    fault('availability-gone', CHECKOUT);

    expect(await perform('checkoutCart', input)).toMatchObject({
      outcome: 'refused',
      reason: 'catalogue-changed',
    });
  });

  it('names the groups that were refused while others were ordered', async () => {
    const input = await filledCart([EMS, OFFICE]);
    fault('partial-checkout', CHECKOUT);

    const output = await perform('checkoutCart', input);

    expect(output.orders).toHaveLength(1);
    expect(output.refusedGroups).toMatchObject([{ orderGroup: '1', code: '800025' }]);
  });
});

const NEWCO = {
  companyName: 'Newco GmbH',
  domain: 'newco7f3a.onmicrosoft.com',
  contact: { firstName: 'Ada', lastName: 'Meyer', email: 'it@newco.example', phoneNumber: '4255550100' },
  address: {
    line1: '1 Example Way',
    line2: null,
    city: 'Redmond',
    state: 'WA',
    postalCode: '98052',
    country: 'US',
  },
  culture: 'en-US',
  language: 'en',
  registrationNumber: null,
};

describe('createCustomer', () => {
  it('creates one tenant and hands its password to be sealed, and to nothing else', async () => {
    const { output, sealed } = await performed('createCustomer', NEWCO);

    const signIn = JSON.parse(sealed.get('admin-password') ?? '{}') as { userName: string; password: string };
    expect(signIn.userName).toBe('admin@newco7f3a.onmicrosoft.com');
    expect(signIn.password.length).toBeGreaterThan(8);
    expect(output).toMatchObject({ outcome: 'created', passwordSealed: true, domain: NEWCO.domain });
    expect(JSON.stringify(output)).not.toContain(signIn.password);
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('creates no second tenant when the answer was lost, and gets the password by asking again', async () => {
    fault('hang-up-after', CREATE);

    const { output, sealed } = await performed('createCustomer', NEWCO);

    expect(output).toMatchObject({ outcome: 'created', passwordSealed: true });
    expect(sealed.has('admin-password')).toBe(true);
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('adopts the tenant without its password when asking again does not bring it back', async () => {
    fault('hang-up-after', CREATE);
    const { remembered } = microsoft.emulator.world.partner;
    const forget = () => {
      for (const { id } of remembered.all()) remembered.remove(id);
    };

    const { output, sealed } = await performed('createCustomer', NEWCO, { between: forget });

    expect(output).toMatchObject({ outcome: 'created', passwordSealed: false });
    expect(sealed.size).toBe(0);
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('creates the tenant when nothing came of the lost request', async () => {
    fault('hang-up-before', CREATE);

    const { output, verifications } = await performed('createCustomer', NEWCO);

    expect(output).toMatchObject({ outcome: 'created', passwordSealed: true });
    expect(verifications).toBe(1);
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('adopts the one tenant without its password when every answer is lost', async () => {
    fault('hang-up-after', CREATE, { times: undefined });

    const { output, attempts } = await performed('createCustomer', NEWCO);

    expect(output).toMatchObject({ outcome: 'created', passwordSealed: false, domain: NEWCO.domain });
    expect(attempts).toBeLessThan(8);
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('adopts what an earlier request of the same onboarding made, and nothing that was there before it', async () => {
    fault('hang-up-after', CREATE);
    await expect(perform('createCustomer', NEWCO, { attempts: 1 })).rejects.toMatchObject({
      kind: 'unknown',
    });

    const anew = { instanceId: 'wf_2' };
    const stranger = await perform('createCustomer', NEWCO, anew);
    const own = await perform('createCustomer', { ...NEWCO, askedBefore: true }, { instanceId: 'wf_3' });

    expect(stranger).toMatchObject({ outcome: 'refused', field: 'domain' });
    expect(own).toMatchObject({ outcome: 'created', passwordSealed: false, domain: NEWCO.domain });
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('calls nothing refused while the tenant it may have made does not show', async () => {
    fault('hang-up-after', CREATE);
    await expect(perform('createCustomer', NEWCO, { attempts: 1 })).rejects.toMatchObject({
      kind: 'unknown',
    });
    for (const customer of microsoft.emulator.world.partner.customers.all())
      microsoft.emulator.world.partner.customers.update(customer.id, { visibleAt: Number.MAX_SAFE_INTEGER });

    const again = perform(
      'createCustomer',
      { ...NEWCO, askedBefore: true },
      { instanceId: 'wf_2', attempts: 2 },
    );

    await expect(again).rejects.toMatchObject({ kind: 'unknown' });
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('says that the domain is taken, when somebody was faster', async () => {
    fault('prefix-taken', CREATE);

    expect(await perform('createCustomer', NEWCO)).toMatchObject({ outcome: 'refused', field: 'domain' });
    expect(books().tenantsCreated).toEqual([]);
  });

  it.each([
    [600051, 'phoneNumber'],
    [600049, 'registrationNumber'],
    [2007, 'address'],
  ])('leads a refusal %d back to the form: %s', async (code, field) => {
    fault('error', CREATE, { status: 400, code, description: 'No.' });

    expect(await perform('createCustomer', NEWCO)).toMatchObject({ outcome: 'refused', field });
  });

  it('fails terminally when the form cannot mend it', async () => {
    fault('error', CREATE, { status: 403, code: 600006, description: 'Not allowed.' });

    await expect(perform('createCustomer', NEWCO)).rejects.toMatchObject({ kind: 'terminal' });
  });
});

describe('changeSeats', () => {
  const PATCH = 'PATCH /pc/v1/customers/:customerId/subscriptions/:subscriptionId';
  async function office() {
    const { subscriptions } = await perform('listSubscriptions', { customerId: fabrikam });
    return subscriptions[0] as { subscriptionId: string; quantity: number };
  }

  it.each(['hang-up-after', 'hang-up-before'])(
    'sets the number once although the answer was lost (%s)',
    async (kind) => {
      const { subscriptionId, quantity } = await office();
      fault(kind, PATCH);

      const { output, verifications } = await performed('changeSeats', {
        customerId: fabrikam,
        subscriptionId,
        targetQuantity: quantity + 5,
      });

      expect(output).toMatchObject({ outcome: 'accepted' });
      expect(verifications).toBe(1);
      await eventually(async () => expect((await office()).quantity).toBe(quantity + 5));
    },
  );

  it('takes a change that Microsoft works on for accepted', async () => {
    await microsoft.control('/settings', { subscriptionPatch: 'accepted' }, 'PATCH');
    const { subscriptionId } = await office();

    const input = { customerId: fabrikam, subscriptionId, targetQuantity: 40 };

    expect(await perform('changeSeats', input)).toMatchObject({ outcome: 'accepted' });
    await eventually(async () => expect((await office()).quantity).toBe(40));
  });

  it('ends a business refusal as refused', async () => {
    const { subscriptionId } = await office();
    fault('error', PATCH, { status: 400, code: 800091, description: 'The subscription is suspended.' });

    const input = { customerId: fabrikam, subscriptionId, targetQuantity: 40 };

    expect(await perform('changeSeats', input)).toMatchObject({ outcome: 'refused', code: '800091' });
  });
});

describe('the admin relationship', () => {
  const CREATE_GDAP = 'POST /graph/v1.0/tenantRelationships/delegatedAdminRelationships';
  const input = {
    tenantId: contoso,
    customerName: 'Contoso with a name much longer than fifty characters',
    round: 1,
    roles: LEAST_ROLES,
    duration: 'P730D',
    autoExtendDuration: 'P180D',
  };
  const own = () =>
    books().relationships.filter(({ tenantId }: { tenantId: string }) => tenantId === contoso) as unknown[];

  it('is created once although the answer was lost, under a name of at most 50 characters', async () => {
    fault('hang-up-after', CREATE_GDAP);

    const { output, verifications } = await performed('createAdminRelationship', input);

    expect((output as { displayName: string }).displayName.length).toBeLessThanOrEqual(50);
    expect(verifications).toBe(1);
    expect(own()).toHaveLength(1);
  });

  it('is another one in another round and for another instance', async () => {
    await perform('createAdminRelationship', input);
    await perform('createAdminRelationship', { ...input, round: 2 });
    await perform('createAdminRelationship', input, { instanceId: 'wf_2' });
    await perform('createAdminRelationship', input);

    expect(own()).toHaveLength(3);
  });

  it('is locked for approval as soon as Microsoft has copied it around', async () => {
    const { relationshipId } = await perform('createAdminRelationship', input);

    const { output, attempts } = await performed(
      'lockAdminRelationship',
      { relationshipId },
      { attempts: 40 },
    );

    expect(attempts).toBeGreaterThan(1);
    expect(output).toEqual({
      status: 'approvalPending',
      adminLink: `${microsoft.urls.consent}/AdminPortal/Home#/partners/invitation/granularAdminRelationships/${relationshipId}`,
    });
  });

  it('is deleted while it is new, ended when it is active, and left alone when it is over', async () => {
    const { relationshipId } = await perform('createAdminRelationship', input);
    expect(await perform('terminateAdminRelationship', { relationshipId })).toEqual({ outcome: 'deleted' });
    expect(await perform('terminateAdminRelationship', { relationshipId })).toEqual({
      outcome: 'already-ended',
    });

    const { relationshipId: active } = await perform('findAdminRelationship', {
      tenantId: fabrikam,
      roles: LEAST_ROLES,
    });
    fault(
      'hang-up-after',
      'POST /graph/v1.0/tenantRelationships/delegatedAdminRelationships/:relationshipId/requests',
    );
    const ended = await performed('terminateAdminRelationship', { relationshipId: active });
    expect(['termination-requested', 'already-ended']).toContain(
      (ended.output as { outcome: string }).outcome,
    );
  });

  it('gives our groups their roles once, although the answer was lost, and our application consent', async () => {
    const { relationshipId } = await perform('createAdminRelationship', input);
    await performed('lockAdminRelationship', { relationshipId }, { attempts: 40 });
    await microsoft.control('/consents/reseller/accept', { tenantId: contoso });
    await microsoft.control(`/consents/gdap/${relationshipId}/approve`);
    await eventually(async () =>
      expect(await perform('readAdminRelationship', { relationshipId })).toMatchObject({ status: 'active' }),
    );
    expect(await perform('checkCustomerAccess', { tenantId: contoso })).toMatchObject({
      accessible: false,
      reason: 'no-relationship',
    });
    const assignments = [{ groupId: PARTNER.securityGroupId, roles: LEAST_ROLES }];
    fault('hang-up-after', `${CREATE_GDAP}/:relationshipId/accessAssignments`);

    const { output, verifications } = await performed('assignAccess', { relationshipId, assignments });

    expect(output).toMatchObject({ assigned: [{ groupId: PARTNER.securityGroupId }] });
    expect(verifications).toBe(1);
    expect(
      books().assignments.filter((row: { relationshipId: string }) => row.relationshipId === relationshipId),
    ).toHaveLength(1);
    const read = { relationshipId, groupIds: [PARTNER.securityGroupId] };
    await eventually(async () =>
      expect(await perform('readAccess', read)).toMatchObject({ allActive: true }),
    );
    await eventually(async () =>
      expect(await perform('checkCustomerAccess', { tenantId: contoso })).toMatchObject({
        reason: 'no-consent',
      }),
    );

    const CONSENT = 'POST /pc/v1/customers/:customerId/applicationconsents';
    fault('consent-in-progress', CONSENT);
    await eventually(async () =>
      expect(await perform('readRelationship', { customerId: contoso })).toMatchObject({ reseller: true }),
    );
    expect(await perform('grantAppConsent', { tenantId: contoso })).toEqual({ outcome: 'not-ready' });
    fault('hang-up-after', CONSENT);
    expect(await perform('grantAppConsent', { tenantId: contoso })).toEqual({ outcome: 'granted' });
    expect(await perform('grantAppConsent', { tenantId: contoso }, { instanceId: 'wf_2' })).toEqual({
      outcome: 'already-granted',
    });
    await eventually(async () =>
      expect(await perform('checkCustomerAccess', { tenantId: contoso })).toEqual({
        accessible: true,
        reason: null,
        message: null,
      }),
    );
  });
});

describe('attestAgreement', () => {
  it('attests once although the answer was lost', async () => {
    const { tenantId } = (await microsoft.control('/tenants', {
      domain: 'tailspin',
      name: 'Tailspin',
      customer: true,
    })) as { tenantId: string };
    fault('hang-up-after', 'POST /pc/v1/customers/:customerId/agreements');
    const input = {
      customerId: tenantId,
      contact: NEWCO.contact,
      dateAgreed: new Date(Date.now() - 60_000).toISOString(),
    };
    expect(await perform('readAgreement', { customerId: tenantId })).toEqual({ accepted: false, how: null });

    const { output, verifications } = await performed('attestAgreement', input);

    expect(output).toEqual({ outcome: 'attested' });
    expect(verifications).toBe(1);
    const again = await perform('attestAgreement', input, { instanceId: 'wf_2' });
    expect(again).toEqual({ outcome: 'already-attested' });
    expect(await perform('readAgreement', { customerId: tenantId })).toEqual({
      accepted: true,
      how: 'attested',
    });
    expect(
      books().agreements.filter((row: { customerId: string }) => row.customerId === tenantId),
    ).toHaveLength(1);
  });
});

describe('assignLicences', () => {
  const ASSIGN = 'POST /graph/v1.0/users/:userId/assignLicense';
  async function tenantWith(seats: number, users: readonly object[]): Promise<string> {
    const tenant = {
      domain: 'tailspin',
      name: 'Tailspin',
      customer: true,
      gdapReady: true,
      agreementSigned: true,
      users: [{ name: 'admin@tailspin.onmicrosoft.com', usageLocation: 'DE', globalAdmin: true }, ...users],
      subscriptions: [{ sku: 'EMS', quantity: seats, soldBy: 'partner' }],
    };
    return ((await microsoft.control('/tenants', tenant)) as { tenantId: string }).tenantId;
  }
  const named = (...names: string[]) =>
    names.map((name) => ({ userPrincipalName: `${name}@tailspin.onmicrosoft.com`, usageLocation: null }));
  const licensed = (tenantId: string): string[] =>
    books()
      .licences.filter((row: { tenantId: string }) => row.tenantId === tenantId)
      .map((row: { userPrincipalName: string }) => row.userPrincipalName);

  it('sets the usage location, assigns what is missing and tells the outcome of each user', async () => {
    const tenantId = await tenantWith(2, [
      { name: 'ada' },
      { name: 'ben', usageLocation: 'FR' },
      { name: 'cleo' },
    ]);
    const input = { tenantId, skuIds: [EMS_SKU], defaultUsageLocation: 'DE' };
    await perform('assignLicences', { ...input, users: named('ada') });
    await eventually(async () => {
      const { users } = await perform('listUsers', { tenantId, skuIds: [EMS_SKU] });
      expect(users.filter(({ holds }: { holds: string[] }) => holds.length > 0)).toHaveLength(1);
    });

    const { outcomes } = await perform('assignLicences', {
      ...input,
      users: named('ada', 'ben', 'cleo', 'nobody'),
    });

    expect(
      outcomes.map(({ outcome, code }: { outcome: string; code: string | null }) => [outcome, code]),
    ).toEqual([
      ['already', null],
      ['assigned', null],
      ['pending', 'graph-licences-exhausted'],
      ['pending', 'user-not-found'],
    ]);
    expect(licensed(tenantId)).toHaveLength(2);
  });

  it('goes on behind the last batch after a lost answer, and assigns to nobody twice', async () => {
    const users = Array.from({ length: 45 }, (_, index) => `user${index}`);
    const tenantId = await tenantWith(
      45,
      users.map((name) => ({ name })),
    );
    fault('hang-up-after', 'POST /graph/v1.0/$batch', { times: 2 });

    const { output, attempts } = await performed('assignLicences', {
      tenantId,
      skuIds: [EMS_SKU],
      users: named(...users),
      defaultUsageLocation: 'DE',
    });

    const { outcomes } = output as { outcomes: readonly { outcome: string }[] };
    expect(attempts).toBe(3);
    expect(outcomes).toHaveLength(45);
    expect(outcomes.every(({ outcome }) => outcome === 'assigned' || outcome === 'already')).toBe(true);
    expect(new Set(licensed(tenantId)).size).toBe(45);
    expect(books().requests[ASSIGN] ?? 0).toBeLessThanOrEqual(45 + 20);
  });

  it('never fails because of one user', async () => {
    const tenantId = await tenantWith(5, [
      { name: 'ada', usageLocation: 'DE' },
      { name: 'ben', usageLocation: 'DE' },
    ]);
    fault('error', ASSIGN, {
      status: 400,
      code: 'Request_BadRequest',
      description: 'Conflicting service plans: mutually exclusive.',
    });

    const { outcomes } = await perform('assignLicences', {
      tenantId,
      skuIds: [EMS_SKU],
      users: named('ada', 'ben'),
      defaultUsageLocation: 'DE',
    });

    expect(outcomes.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['failed', 'assigned']);
  });
});

describe('sendInvitation', () => {
  const mail = { kind: 'invitation', to: ['it@contoso.example'], subject: 'Hello', body: 'Two links.' };

  it('sends a mail whose id tells a repetition', async () => {
    const { messageId } = await perform('sendInvitation', mail);

    expect(books().mails).toMatchObject([{ to: ['it@contoso.example'], subject: 'Hello' }]);
    expect(microsoft.emulator.world.mail.mails.all().map((row) => row.messageId)).toEqual([messageId]);
  });
});
