import type { MicrosoftConfig } from '../../shared/config.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Pace } from '../http.ts';
import type { Identity } from '../identity.ts';
import { agreements } from './agreements.ts';
import { audit } from './audit.ts';
import { carts } from './carts.ts';
import { catalogue } from './catalogue.ts';
import { customers } from './customers.ts';
import { orders } from './orders.ts';
import { relationships } from './relationships.ts';
import { createPartnerCenterCalls } from './service.ts';
import { subscriptions } from './subscriptions.ts';
import { validations } from './validations.ts';
import { webhooksRegistration } from './webhooks-registration.ts';

/** Partner Center, one group of calls per resource. Every call raises ActivityFailure and nothing else. */
export function createPartnerCenter(
  config: MicrosoftConfig,
  deps: { identity: Identity; log: Logger; pace?: Pace },
) {
  const calls = createPartnerCenterCalls(config, deps);
  return {
    agreements: agreements(calls),
    audit: audit(calls),
    carts: carts(calls),
    catalogue: catalogue(calls),
    customers: customers(calls),
    orders: orders(calls),
    relationships: relationships(calls),
    subscriptions: subscriptions(calls),
    validations: validations(calls),
    webhooks: webhooksRegistration(calls),
  };
}

export type PartnerCenter = ReturnType<typeof createPartnerCenter>;
