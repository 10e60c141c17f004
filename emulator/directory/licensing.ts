/** Licence assignment, one rule for Graph and Partner Center. */
import type { World } from '../world.ts';
import type { User } from './entities.ts';
import { seatsOf } from './helpers.ts';

export interface LicenceChange {
  readonly add: readonly { readonly skuId: string; readonly disabledPlans: readonly string[] }[];
  readonly remove: readonly string[];
}

export type LicenceRefusal =
  | { readonly reason: 'usage-location' }
  | { readonly reason: 'unknown-sku'; readonly skuId: string }
  | { readonly reason: 'no-seats'; readonly skuId: string };

/** Applies the change or says why not; a product the user already has is replaced and takes no second seat. */
export function changeLicences(world: World, user: User, change: LicenceChange): User | LicenceRefusal {
  const seats = seatsOf(world, user.tenantId);
  if (change.add.length > 0 && user.usageLocation === null) return { reason: 'usage-location' };
  for (const { skuId } of change.add) {
    const available = seats.find((row) => row.skuId === skuId);
    if (available === undefined) return { reason: 'unknown-sku', skuId };
    const held = user.licences.some((licence) => licence.skuId === skuId);
    if (!held && available.enabled <= available.consumed) return { reason: 'no-seats', skuId };
  }
  const visibleAt = world.clock.now() + world.delay('licenceVisible');
  const replaced = new Set([...change.remove, ...change.add.map((licence) => licence.skuId)]);
  const kept = user.licences.filter((licence) => !replaced.has(licence.skuId));
  const added = change.add.map((licence) => ({
    ...licence,
    visibleAt: user.licences.find((held) => held.skuId === licence.skuId)?.visibleAt ?? visibleAt,
  }));
  return world.directory.users.update(user.id, { licences: [...kept, ...added] });
}

export function isRefusal(outcome: User | LicenceRefusal): outcome is LicenceRefusal {
  return 'reason' in outcome;
}
