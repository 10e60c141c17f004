/** Every activity the workflows may ask for, bound to the connectors. */
import { setMaxListeners } from 'node:events';
import type { Connectors } from '../../connectors/index.ts';
import type { ActivityContext, ActivityImplementation } from '../../engine/index.ts';
import type { WorkerConfig } from '../../shared/config.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import * as adminRelationship from './admin-relationship.ts';
import { assignAccess } from './assign-access.ts';
import { assignLicences } from './assign-licences.ts';
import { attestAgreement } from './attest-agreement.ts';
import type { ActivityDeps } from './calls.ts';
import { changeSeats } from './change-seats.ts';
import { checkoutCart } from './checkout-cart.ts';
import { createCustomer } from './create-customer.ts';
import * as customers from './customer-reads.ts';
import * as directory from './directory-reads.ts';
import * as domain from './domain.ts';
import { grantAppConsent } from './grant-app-consent.ts';
import * as ordering from './ordering-reads.ts';
import * as prerequisites from './prerequisites.ts';
import * as relationships from './relationship-reads.ts';
import { sendInvitation } from './send-invitation.ts';
import * as signIn from './sign-in.ts';
import * as undo from './undo.ts';

const MAKERS: readonly ((deps: ActivityDeps) => ActivityImplementation)[] = [
  prerequisites.checkPartnerAccess,
  prerequisites.checkTooling,
  prerequisites.writeClosingReport,
  signIn.checkSignIn,
  signIn.resumeQueues,
  relationships.requestRelationship,
  relationships.readRelationship,
  relationships.readAdminRelationship,
  relationships.findAdminRelationship,
  relationships.readAccess,
  relationships.checkCustomerAccess,
  adminRelationship.createAdminRelationship,
  adminRelationship.lockAdminRelationship,
  adminRelationship.terminateAdminRelationship,
  assignAccess,
  grantAppConsent,
  sendInvitation,
  customers.findTenant,
  customers.findCustomer,
  customers.listSubscriptions,
  customers.readSubscription,
  customers.checkDomain,
  customers.validateAddress,
  customers.readCountryRules,
  customers.readVetting,
  customers.readAgreement,
  createCustomer,
  attestAgreement,
  ordering.resolveCatalogue,
  ordering.createCart,
  ordering.readCart,
  ordering.findOrder,
  ordering.readOrder,
  ordering.readSeats,
  checkoutCart,
  changeSeats,
  undo.readUndoWindow,
  undo.cancelSubscription,
  undo.openUndoWindows,
  directory.listUsers,
  directory.findUsers,
  directory.verifyTenant,
  directory.verifySync,
  domain.addDomain,
  domain.verifyDomain,
  assignLicences,
];

export function createActivities(options: {
  readonly connectors: Connectors;
  readonly config: Pick<WorkerConfig, 'microsoft'> & Partial<Pick<WorkerConfig, 'gdap'>>;
  readonly client: ActivityDeps['client'];
  readonly log: Logger;
}): readonly ActivityImplementation[] {
  return MAKERS.map((make) => sparingInstances(askingStaffEarly(make(options)), options.log));
}

/** Attempts at a reading whose answer nobody can read: a gateway's page may pass, a new release of a service does not. */
const UNREADABLE_ATTEMPTS = 3;
const UNREADABLE = /-(?:shape|answer-too-large)$/;

/**
 * An answer in an unknown shape goes before a person soon, by the statechart's error branch; the history keeps it as it
 * came. Readings only: what changes something is verified first, however often that takes.
 */
function askingStaffEarly(implementation: ActivityImplementation): ActivityImplementation {
  const { contract, run } = implementation;
  if (contract.effectful) return implementation;
  return {
    ...implementation,
    run: (input: unknown, context: ActivityContext) =>
      run(input as never, context).catch((error: unknown) => {
        const last = context.attempt >= UNREADABLE_ATTEMPTS;
        if (!last || !(error instanceof ActivityFailure) || !UNREADABLE.test(error.code)) throw error;
        const { code, message, details } = error;
        throw new ActivityFailure('terminal', code, message, { details, cause: error });
      }),
  } as ActivityImplementation;
}

/**
 * Trouble of a connector as a whole (our sign-in is broken) pauses its queue and is no instance's fault: the attempt ends
 * as one to be repeated when the queue runs again, instead of an error that each statechart would put before a person.
 */
function sparingInstances(implementation: ActivityImplementation, log: Logger): ActivityImplementation {
  const { contract, run, verify } = implementation;
  const spare = (error: unknown): never => {
    if (!(error instanceof ActivityFailure) || error.pausesQueue === undefined || error.kind !== 'terminal')
      throw error;
    const { code, message, details, pausesQueue } = error;
    log.error({ activity: contract.name, code, queue: pausesQueue }, 'connector in trouble');
    throw new ActivityFailure('retryable', code, message, { details, cause: error, pausesQueue });
  };
  return {
    contract,
    run: (input: unknown, context: ActivityContext) => {
      // Each call of an attempt listens, and a batch makes many at once.
      setMaxListeners(0, context.signal);
      return run(input as never, context).catch(spare);
    },
    ...(verify === undefined
      ? {}
      : {
          verify: (input: unknown, context: ActivityContext) => verify(input as never, context).catch(spare),
        }),
  } as ActivityImplementation;
}
