import { describe, expect, it } from '@jest/globals';
import type { AnyStateMachine, StateNode } from 'xstate';
import { contractOf } from '../../engine/activity.ts';
import type { StateMeta } from '../../engine/definition.ts';
import { createRegistry } from '../../engine/registry.ts';
import { activityContracts, allWorkflows } from '../../workflows/index.ts';
import { nodesOf } from './harness.ts';
import { ANSWERS, PAYLOADS } from './samples.ts';
import { walk } from './walk.ts';

const around = (node: StateNode): StateNode[] =>
  node.parent === undefined ? [] : [node.parent as StateNode, ...around(node.parent as StateNode)];

describe('all workflows', () => {
  it('can be made durable by the engine', () => {
    expect(() => createRegistry(allWorkflows)).not.toThrow();
  });

  it('have names used once', () => {
    const names = allWorkflows.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
  });

  it('use activities that are on the contract list, and every one of the list', () => {
    const used = new Set(
      allWorkflows.flatMap(({ machine }) =>
        Object.values((machine as AnyStateMachine).implementations.actors).flatMap(
          (logic) => contractOf(logic as object)?.name ?? [],
        ),
      ),
    );

    expect([...used].sort()).toEqual(activityContracts.map(({ name }) => name).sort());
  });
});

describe('samples', () => {
  it.each(activityContracts.map((contract) => [contract.name, contract] as const))(
    'of %s are answers the contract allows',
    (name, contract) => {
      for (const answer of ANSWERS[name] ?? []) expect(contract.output.parse(answer)).toEqual(answer);
      expect(ANSWERS[name]?.length).toBeGreaterThan(0);
    },
  );
});

describe.each(allWorkflows.map((workflow) => [workflow.name, workflow] as const))('%s', (_, workflow) => {
  const nodes = [...nodesOf((workflow.machine as AnyStateMachine).root)].slice(1);
  const walked = walk(workflow);
  const signals = workflow.signals ?? {};

  it('has a sentence for every state', () => {
    const silent = nodes.filter((node) => ((node.meta as StateMeta | undefined)?.description ?? '') === '');

    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  it('handles the result and the failure of everything it invokes', () => {
    const lacking = nodes.flatMap((node) =>
      node.invoke.filter(
        ({ id }) =>
          !node.transitions.has(`xstate.done.actor.${id}`) ||
          !node.transitions.has(`xstate.error.actor.${id}`),
      ),
    );

    expect(lacking.map(({ id }) => id)).toEqual([]);
  });

  it('gives every activity and child an id and a named source', () => {
    for (const node of nodes) {
      for (const { id, src } of node.invoke) {
        expect(typeof src).toBe('string');
        expect(id).not.toContain('xstate.');
        expect(Object.keys((workflow.machine as AnyStateMachine).implementations.actors)).toContain(src);
      }
    }
  });

  it('offers only known signals, which the state takes, as task actions', () => {
    for (const node of nodes) {
      for (const action of (node.meta as StateMeta | undefined)?.task?.actions ?? []) {
        expect(Object.keys(signals)).toContain(action.signal);
        // A state also takes what the states around it take.
        const takers = [...nodesOf(node), ...around(node)];
        expect(takers.some((taker) => taker.transitions.has(action.signal))).toBe(true);
      }
    }
  });

  it('asks every reason-requiring action for a reason', () => {
    for (const node of nodes) {
      for (const action of (node.meta as StateMeta | undefined)?.task?.actions ?? []) {
        const fields = Object.keys(signals[action.signal]?.payload.shape ?? {});
        if (action.reasonRequired === true) expect(fields).toContain('reason');
      }
    }
  });

  it('reaches every state', () => {
    // A state that is left in the step that entered it is never at rest.
    const resting = nodes.filter((node) => node.always?.every(({ guard }) => guard !== undefined) ?? true);

    expect(resting.map(({ id }) => id).filter((id) => !walked.entered.has(id))).toEqual([]);
  });

  it('can end from every situation', () => {
    expect(walked.deadEnds).toEqual([]);
  });

  it('takes every signal it declares somewhere', () => {
    expect(Object.keys(signals).filter((type) => !walked.taken.has(type))).toEqual([]);
  });

  it('decides the same after a JSON round trip', () => {
    expect(walked.forgetful).toEqual([]);
  });

  it('parses the sample payload of each of its signals', () => {
    for (const [type, signal] of Object.entries(signals)) {
      for (const payload of PAYLOADS[type] ?? []) expect(signal.payload.parse(payload)).toEqual(payload);
      expect(PAYLOADS[type]?.length).toBeGreaterThan(0);
    }
  });
});
