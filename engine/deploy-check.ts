/**
 * Before a deploy: does every live instance live on under the code that is about to run? Holds each one against this
 * process's definitions, and each definition against what the workers that run now have recorded of theirs.
 */
import { type FitProblem, problem, problemsOf, unheard } from './fit.ts';
import { liveInstances } from './migrations.ts';
import type { InstanceRecord } from './record.ts';
import { type Registry, refOf } from './registry.ts';
import { activePaths, type DefinitionShape, shapeOf, togetherOf } from './shape.ts';
import type { Store } from './store.ts';
import { readRecord } from './stored.ts';

/** One thing that does not fit, and whom it concerns. */
export interface DeployFinding extends FitProblem {
  /** `name@version` of the instances. */
  readonly definition: string;
  readonly instances: number;
  /** Some of their ids. */
  readonly samples: readonly string[];
}

/** A version whose states are others than when it last ran; no live instance need be concerned. */
export interface ChangedDefinition {
  readonly definition: string;
  readonly gone: readonly string[];
  readonly added: readonly string[];
}

export interface DeployReport {
  /** Nothing found: every live instance fits. */
  readonly ok: boolean;
  readonly examined: number;
  readonly findings: readonly DeployFinding[];
  readonly changed: readonly ChangedDefinition[];
}

const SAMPLES = 5;

export async function checkDeploy(store: Store, registry: Registry): Promise<DeployReport> {
  const recorded = await readDefinitions(store);
  const findings = new Map<string, { problem: FitProblem; definition: string; instances: string[] }>();
  let examined = 0;
  for await (const instanceId of liveInstances(store, null)) {
    const stored = await store.load(instanceId);
    if (stored === null) continue;
    examined += 1;
    const record = readRecord(stored);
    const { definition } = record;
    for (const found of problemsUnder(registry, record, recorded.get(definition) ?? null)) {
      const key = [definition, found.code, found.message].join('\n');
      const finding = findings.get(key) ?? { problem: found, definition, instances: [] };
      finding.instances.push(instanceId);
      findings.set(key, finding);
    }
  }
  return {
    ok: findings.size === 0,
    examined,
    findings: [...findings.values()].map(({ problem: found, definition, instances }) => ({
      ...found,
      definition,
      instances: instances.length,
      samples: instances.slice(0, SAMPLES),
    })),
    changed: changedDefinitions(registry, recorded),
  };
}

function problemsUnder(
  registry: Registry,
  record: InstanceRecord,
  recorded: DefinitionShape | null,
): readonly FitProblem[] {
  const definition = registry.find(record.definition);
  if (definition === null)
    return [
      problem('version-missing', `'${record.definition}' is not registered: its instances would stand still`),
    ];
  const paths = activePaths(record.machine.value);
  const before = recorded === null ? null : togetherOf(recorded, paths);
  const problems = problemsOf(registry, definition, record, before);
  if (before === null || problems.some(({ code }) => code === 'state-vanished')) return problems;
  const shape = shapeOf(definition);
  return [...problems, ...unheard(togetherOf(shape, paths), before, shape.signals)];
}

function changedDefinitions(
  registry: Registry,
  recorded: ReadonlyMap<string, DefinitionShape>,
): readonly ChangedDefinition[] {
  return [...recorded].flatMap(([ref, old]) => {
    const definition = registry.find(ref);
    if (definition === null) return [];
    const [before, now] = [Object.keys(old.states), Object.keys(shapeOf(definition).states)];
    const gone = before.filter((path) => !now.includes(path));
    const added = now.filter((path) => !before.includes(path));
    return gone.length + added.length === 0 ? [] : [{ definition: ref, gone, added }];
  });
}

/** Leaves word of what this process runs, for the check before the next deploy. */
export async function recordDefinitions(store: Store, registry: Registry): Promise<void> {
  const refs = registry.workflows.map(refOf);
  await store.recordDefinitions(
    refs.map((ref) => [ref, JSON.stringify(shapeOf(registry.get(ref)))] as const),
  );
}

async function readDefinitions(store: Store): Promise<ReadonlyMap<string, DefinitionShape>> {
  const found = await store.definitions();
  return new Map(found.map(([ref, text]) => [ref, JSON.parse(text) as DefinitionShape]));
}

/** The report for people, one line a finding. */
export function describeDeploy({ ok, examined, findings, changed }: DeployReport): string {
  const lines = findings.map(
    ({ definition, code, message, instances, samples }) =>
      `${definition}: ${message} [${code}], ${instances} instance(s): ${samples.join(', ')}${instances > samples.length ? ', …' : ''}`,
  );
  const notes = changed.map(
    ({ definition, gone, added }) =>
      `note: ${definition} changed without a new version:${gone.map((path) => ` -${path}`).join('')}${added.map((path) => ` +${path}`).join('')}`,
  );
  const verdict = ok
    ? `All ${examined} live instances fit.`
    : `Do not deploy: of ${examined} live instances some do not fit.`;
  return [...lines, ...notes, verdict].join('\n');
}
