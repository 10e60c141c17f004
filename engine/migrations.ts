/** A version's live instances taken to the next one: looked at first, a share of them, then all; and back again. */
import { AppError, isAppError } from '../shared/errors.ts';
import type { By } from './client.ts';
import type { AnyWorkflow } from './definition.ts';
import type { Engine } from './engine.ts';
import type { FaultPoints } from './fault-points.ts';
import { readEntry } from './history.ts';
import { listed } from './indexes.ts';
import { planMigration, undoOf } from './migrate.ts';
import { type Registry, refOf } from './registry.ts';
import { type Store, shardOf } from './store.ts';
import { readRecord } from './stored.ts';
import { rootOf } from './view.ts';

export interface MigrationOptions extends By {
  /** The workflow and the version to take its instances to. */
  readonly name: string;
  readonly version: number;
  /** Only looks: what fits, and why the rest does not. */
  readonly dryRun?: boolean;
  /** Share of the instances, 0 to 1, chosen by their ids: the same ones every time, and a larger share holds a smaller. */
  readonly share?: number;
  /** Most that are moved in this call; call again for the rest. */
  readonly limit?: number;
  /** Takes back those that version `version` holds by migration and to which nothing happened since. */
  readonly undo?: boolean;
  /** These only. */
  readonly instanceIds?: readonly string[];
}

export interface MigrationReport {
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** Live instances at `from`, within the share. */
  readonly examined: number;
  /** Of those looked at, how many fit. */
  readonly fits: number;
  readonly moved: number;
  /** Fit, and left for another call. */
  readonly left: number;
  readonly refused: readonly RefusedInstance[];
  /** How many more were refused than are told of. */
  readonly refusedMore: number;
}

export interface RefusedInstance {
  readonly instanceId: string;
  readonly code: string;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
}

const TOLD = 200;
const DEFAULT_LIMIT = 1_000;
const BUCKETS = 10_000;

export interface Migrations {
  migrate(options: MigrationOptions): Promise<MigrationReport>;
}

export function createMigrations(
  engine: Engine,
  { faults }: { readonly faults?: FaultPoints } = {},
): Migrations {
  const { store, registry } = engine;

  return {
    async migrate(options) {
      const { dryRun = false, undo = false, limit = DEFAULT_LIMIT, share = 1, by, reason } = options;
      const upper = workflowOf(registry, options.name, options.version);
      const lower = workflowOf(registry, options.name, options.version - 1);
      const [from, to] = undo ? [upper, lower] : [lower, upper];
      const refused: RefusedInstance[] = [];
      const tally = { examined: 0, fits: 0, moved: 0, left: 0, refusedMore: 0 };
      const ids = options.instanceIds ?? liveInstances(store, options.name);
      for await (const instanceId of ids) {
        const loaded = await store.load(instanceId);
        if (loaded === null || readRecord(loaded).definition !== refOf(from)) continue;
        if (!isChosen(instanceId, refOf(upper), share)) continue;
        tally.examined += 1;
        if (faults !== undefined) await faults.at('before-migration');
        try {
          const moves = !dryRun && tally.moved < limit;
          if (undo) await takeBack(instanceId, moves, { by, reason });
          else await takeOver(instanceId, to, moves, { by, reason });
          tally.fits += 1;
          if (moves) tally.moved += 1;
          else tally.left += 1;
        } catch (error) {
          if (!isAppError(error)) throw error;
          if (refused.length < TOLD) refused.push(refusalOf(instanceId, error));
          else tally.refusedMore += 1;
        }
        if (faults !== undefined) await faults.at('after-migration');
      }
      return { from: refOf(from), to: refOf(to), dryRun, ...tally, refused };
    },
  };

  async function takeOver(
    instanceId: string,
    to: AnyWorkflow,
    moves: boolean,
    by: Partial<By>,
  ): Promise<void> {
    const envelope = {
      envelope(open: Parameters<typeof planMigration>[1]) {
        const plan = planMigration(registry, open, to);
        if (plan.fits) return { event: plan.event, ...byOf(by) };
        throw new AppError('migration-refused', plan.problems.map(({ message }) => message).join('; '), {
          details: { instanceId, problems: plan.problems },
        });
      },
    };
    if (moves) await engine.handle(instanceId, envelope);
    else await engine.preview(instanceId, envelope);
  }

  async function takeBack(instanceId: string, moves: boolean, by: Partial<By>): Promise<void> {
    const open = await engine.open(instanceId);
    if (open === null) return;
    const { revision } = open.record;
    const [line = ''] = await store.history(instanceId, revision - 1, 1);
    const envelope = { event: undoOf(open, readEntry(line).entry), ...byOf(by) };
    if (moves) await engine.handle(instanceId, envelope, { expectedRevision: revision });
    else await engine.preview(instanceId, envelope);
  }
}

function workflowOf(registry: Registry, name: string, version: number): AnyWorkflow {
  const found = registry.workflows.find((workflow) => workflow.name === name && workflow.version === version);
  if (found !== undefined) return found;
  registry.newest(name);
  throw new AppError('workflow-version-missing', `This process lacks the workflow '${name}@${version}'.`, {
    details: { definition: `${name}@${version}` },
  });
}

/** Whole trees are chosen or not, so that a parent and its children are tried together. */
function isChosen(instanceId: string, to: string, share: number): boolean {
  return shardOf(`${to}|${rootOf(instanceId)}`, BUCKETS) < share * BUCKETS;
}

/** Every open instance of a workflow, whatever its version. */
export async function* liveInstances(store: Store, name: string | null): AsyncGenerator<string> {
  const workflow = name === null ? {} : { workflow: name };
  for (const status of ['running', 'paused'] as const)
    for await (const { id } of listed(store, { ...workflow, status, children: true })) yield id;
}

function refusalOf(instanceId: string, { code, message, details }: AppError): RefusedInstance {
  const problems = (details['problems'] as RefusedInstance['problems'] | undefined) ?? [{ code, message }];
  return { instanceId, code, problems };
}

function byOf({ by, reason }: Partial<By>): By {
  return { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
}
