/** Walks a statechart over every answer, error, timer and signal of the samples. */
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition } from 'xstate';
import { contractOf } from '../../engine/activity.ts';
import type { AnyWorkflow } from '../../engine/definition.ts';
import { type Facts, withdrawableRelationship } from '../../workflows/report.ts';
import { roundTrip, runningOf, timersOf } from './harness.ts';
import { ANSWERS, OTHER_STARTS, OUTCOMES, PAYLOADS, STARTS } from './samples.ts';

export type Event = { type: string; [field: string]: unknown };

export interface Walk {
  /** Ids of all state nodes entered. */
  readonly entered: ReadonlySet<string>;
  /** Situations from which no final state can be reached. */
  readonly deadEnds: readonly string[];
  readonly situations: number;
  /** Signal types that changed something somewhere. */
  readonly taken: ReadonlySet<string>;
  /** Situations where a JSON round trip changed the decision. */
  readonly forgetful: readonly string[];
}

export const startsOf = (workflow: AnyWorkflow): unknown[] =>
  [STARTS[workflow.name], ...(OTHER_STARTS[workflow.name] ?? [])].map((input) =>
    workflow.input?.parse(input),
  );

/** Every event the world may send in this situation. */
export function eventsIn(workflow: AnyWorkflow, snapshot: AnyMachineSnapshot): Event[] {
  const machine: AnyStateMachine = workflow.machine;
  const results = runningOf(snapshot).flatMap((id): Event[] => {
    const src = String(snapshot.children[id]?.src);
    const logic = machine.implementations.actors[src] as object;
    const name = contractOf(logic)?.name;
    const outputs = name === undefined ? OUTCOMES[src] : ANSWERS[name];
    if (outputs === undefined) throw new Error(`no sample for ${src}`);
    return [
      ...outputs.map((output) => ({ type: `xstate.done.actor.${id}`, output, actorId: id })),
      { type: `xstate.error.actor.${id}`, error: { code: 'broken', message: 'It broke.' }, actorId: id },
    ];
  });
  const timers = timersOf(snapshot).map((type) => ({ type }));
  const signals = Object.keys(workflow.signals ?? {}).flatMap((type) =>
    (PAYLOADS[type] ?? [{}]).map((payload) => ({ type, ...payload })),
  );
  return [...results, ...timers, ...signals];
}

/** What of the context decides where a statechart goes; everything else is only carried along. */
const DECISIVE: Record<string, (value: never) => unknown> = {
  failure: (failure: { state: string } | null) => failure?.state,
  cart: (cart: { priceHash: string } | null) => cart?.priceHash,
  approval: (approval: { priceHash: string } | null) => approval?.priceHash,
  counts: (counts: object) => JSON.stringify(counts),
  installation: (installation: { passwordWriteBack: boolean } | null) => installation?.passwordWriteBack,
  markets: (markets: readonly string[]) => markets.join(),
  rowProblems: (rows: readonly unknown[]) => rows.length,
  signIn: (signIn: { passwordSealed: boolean } | null) => signIn?.passwordSealed,
  rows: (rows: readonly { state: string }[]) => rows.map(({ state }) => state).join(),
  facts: (facts: Facts) => [
    facts.consent?.adminGranted,
    withdrawableRelationship(facts),
    facts.access !== null,
    facts.ordering?.skuIds.length,
    facts.seats?.skuIds.length,
  ],
  ...Object.fromEntries(
    [
      'open',
      'openOrders',
      'openSubscriptions',
      'orders',
      'matches',
      'found',
      'subscriptions',
      'problems',
      'outcomes',
    ].map((key) => [
      key,
      (list: readonly unknown[] | number) => (typeof list === 'number' ? list : Math.min(list.length, 2)),
    ]),
  ),
  chosen: (chosen: readonly unknown[] | object | null) =>
    Array.isArray(chosen) ? Math.min(chosen.length, 1) : chosen !== null,
  ...Object.fromEntries(
    ['relationshipId', 'adminLink', 'resellerLink', 'tenantId', 'restoreTo', 'added', 'domain'].map((key) => [
      key,
      (value: unknown) => value !== null,
    ]),
  ),
  ...Object.fromEntries(
    [
      'missing',
      'ending',
      'model',
      'mode',
      'checkouts',
      'lookups',
      'retries',
      'reminders',
      'targetQuantity',
    ].map((key) => [key, (value: unknown) => (typeof value === 'number' ? Math.min(value, 3) : value)]),
  ),
};

function situationOf(snapshot: AnyMachineSnapshot): string {
  const context = snapshot.context as Record<string, unknown>;
  const stuck = JSON.stringify(snapshot.value).includes('needsOperator');
  const decisive = Object.entries(context).flatMap(([key, value]) => {
    if (key === 'failure' && !stuck) return [];
    if (typeof value === 'boolean') return [`${key}=${value}`];
    const read = DECISIVE[key];
    return read === undefined ? [] : [`${key}=${String(read(value as never))}`];
  });
  return `${JSON.stringify(snapshot.value)} ${snapshot.status} ${decisive.join(' ')}`;
}

export function walk(workflow: AnyWorkflow): Walk {
  const machine: AnyStateMachine = workflow.machine;
  const seen = new Map<string, AnyMachineSnapshot>();
  const leadsTo = new Map<string, Set<string>>();
  const entered = new Set<string>();
  const taken = new Set<string>();
  const forgetful: string[] = [];
  const queue: string[] = [];

  const visit = (snapshot: AnyMachineSnapshot): string => {
    const key = situationOf(snapshot);
    if (!seen.has(key)) {
      seen.set(key, snapshot);
      for (const node of (snapshot as unknown as { _nodes: { id: string }[] })._nodes) entered.add(node.id);
      queue.push(key);
    }
    return key;
  };
  for (const input of startsOf(workflow))
    visit(initialTransition(machine, input as never)[0] as AnyMachineSnapshot);

  for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
    const snapshot = seen.get(key);
    if (snapshot === undefined || snapshot.status !== 'active') continue;
    const restored = roundTrip(machine, snapshot);
    if (seen.size > 6_000) throw new Error(`${workflow.name} has too many situations to walk; last: ${key}`);
    const next = new Set<string>();
    leadsTo.set(key, next);
    for (const event of eventsIn(workflow, snapshot)) {
      const [after] = transition(machine, restored as never, event as never);
      if ((after as unknown) === restored) continue;
      taken.add(event.type);
      const plain = transition(machine, snapshot as never, event as never)[0] as AnyMachineSnapshot;
      const persisted = (one: AnyMachineSnapshot) =>
        JSON.stringify([one.value, one.status, one.context, Object.keys(one.children)]);
      if (persisted(plain) !== persisted(after as AnyMachineSnapshot))
        forgetful.push(`${key} on ${event.type}`);
      next.add(visit(after as AnyMachineSnapshot));
    }
  }
  return { entered, deadEnds: deadEndsOf(seen, leadsTo), situations: seen.size, taken, forgetful };
}

function deadEndsOf(
  seen: ReadonlyMap<string, AnyMachineSnapshot>,
  leadsTo: ReadonlyMap<string, Set<string>>,
): string[] {
  const ends = new Set([...seen].filter(([, snapshot]) => snapshot.status === 'done').map(([key]) => key));
  for (let grown = true; grown; ) {
    grown = false;
    for (const [key, next] of leadsTo) {
      if (ends.has(key) || ![...next].some((one) => ends.has(one))) continue;
      ends.add(key);
      grown = true;
    }
  }
  return [...seen.keys()].filter((key) => !ends.has(key));
}
