/**
 * The histories that real instances of each workflow version left, played again with the workflows of today. Red means
 * that instances under way would go on differently: give the workflow a new version and keep the old one beside it.
 * `npm run record-histories` records those of new versions.
 */
import { describe, expect, it } from '@jest/globals';
import { setup } from 'xstate';
import { type AnyWorkflow, createRegistry, defineWorkflow, refOf } from '../../engine/index.ts';
import { replay } from '../../engine/replay.ts';
import { allWorkflows } from '../../workflows/index.ts';
import { HISTORIES, readHistories } from '../support/histories.ts';
import { expectReplays } from '../support/replays.ts';

const histories = readHistories(HISTORIES);
const registry = createRegistry(allWorkflows);

describe('recorded histories', () => {
  it.each(histories.map((history) => [history.file, history] as const))(
    '%s leads to what it led to',
    (_, history) => {
      if (registry.find(history.definition) === null) {
        throw new Error(
          `'${history.definition}' is no longer registered, though instances of it exist or existed. Put it back; once ` +
            `\`npm run deploy-check\` finds none that is open, delete test/fixtures/histories/${history.definition}.`,
        );
      }
      expectReplays(registry, history);
    },
  );

  it('exist for every workflow version', () => {
    const recorded = new Set(histories.map(({ definition }) => definition));
    const missing = allWorkflows.map(refOf).filter((ref) => !recorded.has(ref));

    // Record them with `npm run record-histories`.
    expect(missing).toEqual([]);
  });
});

describe('a workflow changed without a new version', () => {
  const recorded = histories.find(({ definition }) => definition === 'directory@1');
  const changed = (change: (workflow: AnyWorkflow) => AnyWorkflow) =>
    createRegistry(
      allWorkflows.map((workflow) => (workflow.name === 'directory' ? change(workflow) : workflow)),
    );
  const played = (workflows: ReturnType<typeof changed>) => [
    ...replay(workflows, recorded?.instanceId ?? '', recorded?.lines ?? []),
  ];

  it('is told apart by its states, with the words what to do', () => {
    const other = setup({}).createMachine({
      id: 'directory',
      initial: 'elsewhere',
      states: { elsewhere: {} },
    });
    const workflows = changed(() => defineWorkflow({ name: 'directory', machine: other }));

    expect(() => played(workflows)).toThrow(
      /'directory@1' no longer does what it did: revision 1 .* state was .* new version/,
    );
  });

  it('is told apart by a context that only differs inside', () => {
    const workflows = changed((workflow) => ({ ...workflow, subject: () => 'Somebody else' }));

    expect(() => played(workflows)).not.toThrow();
    expect(() => expectReplays(workflows, recorded as never)).toThrow(/give the workflow a new version/);
  });
});
