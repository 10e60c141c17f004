/**
 * Who may call what, as data: the routes, the docs and the test matrix all come from this table. A route without an
 * entry does not start, so that forgetting one closes a door instead of opening it.
 */
import type { Role } from '../shared/config.ts';
import { AppError } from '../shared/errors.ts';

/** Anybody; a signed-in caller where there is one. */
const PUBLIC = 'public';
export type Permission = typeof PUBLIC | readonly Role[];

const READ: readonly Role[] = ['viewer', 'operator', 'approver', 'admin', 'auditor'];
const OPERATE: readonly Role[] = ['operator', 'approver', 'admin'];
/** Beyond this, a task for approvers and its signals need `APPROVERS` (see `approvals.ts`). */
const REVEAL: readonly Role[] = ['approver', 'admin'];

/** A hand in an instance's state or data can stand for any approval, so only those who may approve have it. */
const INTERVENE: readonly Role[] = ['approver', 'admin'];

export const APPROVERS: readonly Role[] = ['approver', 'admin'];

/** By operation id. */
export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  listWorkflows: READ,
  getWorkflow: READ,

  startInstance: OPERATE,
  findPath: OPERATE,
  importCustomers: OPERATE,
  previewInvitation: OPERATE,
  previewMail: OPERATE,
  listInstances: READ,
  getInstance: READ,
  getReport: READ,
  getChart: READ,
  getHistory: READ,
  listChildren: READ,
  verifyHistory: READ,

  sendSignal: OPERATE,
  pauseInstance: OPERATE,
  resumeInstance: OPERATE,
  cancelInstance: OPERATE,
  retryInstance: OPERATE,
  retryInstanceFrom: OPERATE,
  dismissAttention: OPERATE,
  previewOperation: OPERATE,
  moveInstance: INTERVENE,
  editContext: INTERVENE,
  completeActivity: INTERVENE,
  failActivity: INTERVENE,
  forkInstance: INTERVENE,
  runBatch: INTERVENE,
  migrateInstances: ['admin'],

  listTasks: READ,
  actOnTask: OPERATE,

  listUnmatched: READ,
  assignUnmatched: OPERATE,

  revealSecret: REVEAL,

  getSignInLife: READ,
  listPausedQueues: READ,
  resumeQueue: OPERATE,

  getSession: PUBLIC,
  signIn: PUBLIC,
  signOut: PUBLIC,

  receivePartnerCenterEvent: PUBLIC,

  getLiveness: PUBLIC,
  getReadiness: PUBLIC,
  getStartup: PUBLIC,
  getOpenApi: PUBLIC,
  getErrorCatalogue: PUBLIC,
};

/** Raises `config-invalid` for a route that the table does not name. */
export function permissionOf(operationId: string): Permission {
  const permission = Object.hasOwn(PERMISSIONS, operationId) ? PERMISSIONS[operationId] : undefined;
  if (permission === undefined)
    throw new AppError('config-invalid', `The route '${operationId}' has no permission.`, {
      details: { route: operationId },
    });
  return permission;
}
