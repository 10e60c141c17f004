/**
 * Creating a tenant, which cannot be undone (facts: reliability 3.2). Two anchors keep it single: the request id, which a
 * repetition sends again, and the domain, which only one tenant can own. The password is handed to `seal` and to nothing
 * else.
 */
import type { z } from 'zod';
import type { Customer, CustomerCreated, NewCustomer } from '../../connectors/index.ts';
import { type ActivityContext, type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { createCustomer as contract } from '../../workflows/activities/customers.ts';
import {
  type ActivityDeps,
  type BusinessRefusal,
  businessRefusal,
  nowIso,
  reading,
  writing,
} from './calls.ts';

type Input = z.output<typeof contract.input>;
type Output = z.input<typeof contract.output>;
type Field = 'domain' | 'address' | 'registrationNumber' | 'phoneNumber' | 'form';

export const ADMIN_PASSWORD = 'admin-password';

/** Attempts that ask for the password again before a tenant is adopted without it. */
const PASSWORD_ATTEMPTS = 3;

/** Codes that the form can mend (facts 3.4). */
const FIELDS: Readonly<Record<string, Field>> = {
  '600049': 'registrationNumber',
  '600050': 'registrationNumber',
  '600002': 'registrationNumber',
  '600051': 'phoneNumber',
  '2007': 'address',
  '60071': 'address',
  '800002': 'form',
  '3000': 'form',
};

export function createCustomer({ connectors }: ActivityDeps): ActivityImplementation {
  const { customers, validations } = connectors.partnerCenter;

  /** Our customer with this domain and name, or null. */
  async function findOurs(input: Input, context: ActivityContext): Promise<Customer | null> {
    const options = { ...reading(context), limit: 50 };
    const found = await customers.search({ field: 'Domain', value: input.domain }, options);
    const ours = found.find(
      ({ domain, companyName }) =>
        domain === input.domain.toLowerCase() && companyName.trim() === input.companyName.trim(),
    );
    return ours ?? null;
  }

  /** Sends the creation, again under the same ids as long as no answer was received. */
  async function send(input: Input, context: ActivityContext): Promise<Output | BusinessRefusal> {
    try {
      return created(input, context, await customers.create(toNewCustomer(input), writing(context)));
    } catch (failure) {
      const refusal = businessRefusal(failure);
      if (refusal === null || FIELDS[refusal.code] === undefined) throw failure;
      return refusal;
    }
  }

  /** Partner Center's words for a taken prefix are not documented, so the domain itself is asked for. */
  async function fieldOf({ code, message }: BusinessRefusal, input: Input, context: ActivityContext) {
    const field = FIELDS[code] ?? 'form';
    if (field !== 'form') return field;
    if (await validations.isDomainTaken(input.domain, reading(context))) return 'domain';
    if (/domain/i.test(message)) return 'domain';
    return /address|postal|city|state/i.test(message) ? 'address' : 'form';
  }

  return implementActivity(contract, {
    async run(input, context) {
      const answer = await send(input, context);
      if ('outcome' in answer) return answer;
      // What was asked before may have come through late: then the domain is taken by the customer we wanted.
      if (context.attempt > 1 || input.askedBefore) {
        const ours = await findOurs(input, context);
        if (ours !== null) return adopted(ours);
        // Calling it refused would have staff choose another domain, and a second tenant be made.
        if (await validations.isDomainTaken(input.domain, reading(context)))
          throw new ActivityFailure('unknown', 'outcome-unknown', notShowing(input, answer));
      }
      const field = await fieldOf(answer, input, context);
      return { outcome: 'refused', field, code: answer.code, message: answer.message };
    },

    async verify(input, context) {
      const ours = await findOurs(input, context);
      const taken = ours !== null || (await validations.isDomainTaken(input.domain, reading(context)));
      if (!taken) return { outcome: 'not-done' };
      // The domain has one owner, so repeating creates no second tenant; it may bring the lost password back.
      const answer = await send(input, context).catch((failure: unknown) => {
        if (ours !== null && context.attempt > PASSWORD_ATTEMPTS) return adopted(ours);
        throw failure;
      });
      if ('outcome' in answer) return { outcome: 'done', output: answer };
      if (ours !== null) return { outcome: 'done', output: adopted(ours) };
      return { outcome: 'unknown', reason: notShowing(input, answer) };
    },
  });
}

function notShowing({ domain }: Input, { code }: BusinessRefusal): string {
  return `${domain} is taken, and no customer of ours shows with it yet (${code}).`;
}

function created(input: Input, context: ActivityContext, answer: CustomerCreated): Output {
  const { customerId, domain, administrator } = answer;
  const userName = administrator?.userPrincipalName ?? `admin@${domain}`;
  if (administrator !== null) {
    const signIn = { userName, password: administrator.password.reveal() };
    context.seal(ADMIN_PASSWORD, JSON.stringify(signIn));
  }
  context.log.info(
    { customerId, domain: input.domain, passwordSealed: administrator !== null },
    'tenant created',
  );
  return {
    outcome: 'created',
    customerId,
    domain,
    userName,
    passwordSealed: administrator !== null,
    createdAt: nowIso(),
  };
}

function adopted({ id, domain }: Customer): Output {
  return {
    outcome: 'created',
    customerId: id,
    domain,
    userName: `admin@${domain}`,
    passwordSealed: false,
    createdAt: nowIso(),
  };
}

function toNewCustomer(input: Input): NewCustomer {
  const { contact, address } = input;
  return {
    domain: input.domain,
    companyName: input.companyName,
    email: contact.email,
    culture: input.culture,
    language: input.language,
    firstName: contact.firstName,
    lastName: contact.lastName,
    ...(contact.phoneNumber === null ? {} : { phoneNumber: contact.phoneNumber }),
    ...(input.registrationNumber === null
      ? {}
      : { organizationRegistrationNumber: input.registrationNumber }),
    address: {
      country: address.country,
      addressLine1: address.line1,
      ...(address.line2 === null ? {} : { addressLine2: address.line2 }),
      ...(address.city === '' ? {} : { city: address.city }),
      ...(address.state === null ? {} : { state: address.state }),
      ...(address.postalCode === null ? {} : { postalCode: address.postalCode }),
    },
  };
}
