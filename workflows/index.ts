/** The workflows, and every activity they may ask for. */
import type { AnyWorkflow } from '../engine/definition.ts';
import { onboardExistingCspCustomer } from './onboard-existing-csp-customer.ts';
import { onboardExistingOfficeCustomer } from './onboard-existing-office-customer.ts';
import { onboardMany } from './onboard-many.ts';
import { onboardNewCustomer } from './onboard-new-customer.ts';
import { access } from './parts/access.ts';
import { authorisation } from './parts/authorisation.ts';
import { clearance } from './parts/clearance.ts';
import { consent } from './parts/consent.ts';
import { delivery } from './parts/delivery.ts';
import { directory } from './parts/directory.ts';
import { licences } from './parts/licences.ts';
import { ordering } from './parts/ordering.ts';
import { prerequisites } from './parts/prerequisites.ts';
import { provisioning } from './parts/provisioning.ts';
import { purchase } from './parts/purchase.ts';
import { seats } from './parts/seats.ts';
import { renewSignIn } from './renew-sign-in.ts';
import { routeOnboarding } from './route-onboarding.ts';
import { strayOrder } from './stray-order.ts';
import { undoPurchase } from './undo-purchase.ts';

export { activityContracts } from './activities/index.ts';

/** The three paths: what staff start. */
export const workflows: readonly AnyWorkflow[] = [
  onboardExistingOfficeCustomer,
  onboardExistingCspCustomer,
  onboardNewCustomer,
];

/** The stretches the paths invoke. Registered too, so that signals reach them by name and correlation key. */
export const parts: readonly AnyWorkflow[] = [
  prerequisites,
  delivery,
  authorisation,
  consent,
  access,
  purchase,
  clearance,
  ordering,
  seats,
  provisioning,
  licences,
  directory,
];

/** What staff start by form: the paths, and taking a purchase back after one. */
export const startable: readonly AnyWorkflow[] = [...workflows, undoPurchase];

/** What begins by other doors: a customer's path found out, a list taken on, and what workers put before a person. */
export const errands: readonly AnyWorkflow[] = [
  routeOnboarding,
  onboardMany,
  undoPurchase,
  renewSignIn,
  strayOrder,
];

/** What an engine has to register. */
export const allWorkflows: readonly AnyWorkflow[] = [...workflows, ...parts, ...errands];
