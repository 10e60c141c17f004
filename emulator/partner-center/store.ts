import type { Database, Entity } from '../core/database.ts';
import type {
  Agreement,
  AuditRecord,
  Cart,
  Customer,
  Delivery,
  Order,
  Registration,
  RememberedReply,
  Validation,
} from './entities.ts';

/** How often a product's availability id was changed. */
export interface Generation extends Entity {
  readonly count: number;
}

export function createPartnerCenterStore(database: Database) {
  return {
    customers: database.collection<Customer>('customers'),
    agreements: database.collection<Agreement>('agreements'),
    carts: database.collection<Cart>('carts'),
    orders: database.collection<Order>('orders'),
    generations: database.collection<Generation>('availability-generations'),
    registrations: database.collection<Registration>('webhook-registration'),
    deliveries: database.collection<Delivery>('webhook-deliveries'),
    validations: database.collection<Validation>('webhook-validations'),
    audit: database.collection<AuditRecord>('audit-records'),
    remembered: database.collection<RememberedReply>('remembered-replies'),
  };
}

export type PartnerCenterStore = ReturnType<typeof createPartnerCenterStore>;
