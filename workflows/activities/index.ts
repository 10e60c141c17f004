import type { ActivityContract } from '../../engine/activity.ts';
import * as customers from './customers.ts';
import * as directory from './directory.ts';
import * as mail from './mail.ts';
import * as ordering from './ordering.ts';
import * as prerequisites from './prerequisites.ts';
import * as relationships from './relationships.ts';

/** Every activity a workflow may ask for; workers implement all of them. */
export const activityContracts: readonly ActivityContract[] = [
  ...Object.values(prerequisites),
  ...Object.values(relationships),
  ...Object.values(mail),
  ...Object.values(customers),
  ...Object.values(ordering),
  ...Object.values(directory),
];
