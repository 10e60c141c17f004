import {
  type AnyWorkflow,
  activityActors,
  type Implementations,
  limitsOf,
  type Registry,
  refOf,
} from '../engine/index.ts';
import { AppError } from '../shared/errors.ts';

/**
 * Every activity a registered workflow can ask for must have an implementation here; raises `activity-unimplemented`
 * naming those that lack one. Returns the queues they use.
 */
export function requireImplementations(
  registry: Registry,
  implementations: Implementations,
): readonly string[] {
  const queues = new Set<string>(['default']);
  const missing: string[] = [];
  for (const workflow of registry.workflows) {
    for (const actor of activitiesOf(registry, workflow)) {
      queues.add(limitsOf(actor).queue);
      if (actor.contract !== null && !implementations.has(actor.name)) missing.push(actor.name);
    }
  }
  if (missing.length === 0) return [...queues];
  const names = [...new Set(missing)].sort();
  throw new AppError('activity-unimplemented', `No implementation for: ${names.join(', ')}.`, {
    details: { activities: names },
  });
}

function activitiesOf(registry: Registry, workflow: AnyWorkflow) {
  return activityActors(registry, registry.get(refOf(workflow)));
}
