import type { Database } from '../core/database.ts';
import type {
  AccessAssignment,
  AdminOperation,
  AdminRelationship,
  AdminRequest,
  ApplicationConsent,
  Group,
  Subscription,
  Tenant,
  User,
} from './entities.ts';

export function createDirectoryStore(database: Database) {
  return {
    tenants: database.collection<Tenant>('tenants'),
    users: database.collection<User>('users'),
    groups: database.collection<Group>('groups'),
    subscriptions: database.collection<Subscription>('subscriptions'),
    relationships: database.collection<AdminRelationship>('admin-relationships'),
    requests: database.collection<AdminRequest>('admin-requests'),
    assignments: database.collection<AccessAssignment>('access-assignments'),
    operations: database.collection<AdminOperation>('admin-operations'),
    consents: database.collection<ApplicationConsent>('application-consents'),
  };
}

export type DirectoryStore = ReturnType<typeof createDirectoryStore>;
