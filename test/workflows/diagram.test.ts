import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { renderDiagram, renderWorkflow } from '../../workflows/diagram.ts';
import { allWorkflows } from '../../workflows/index.ts';

const FOLDER = join(import.meta.dirname, '../../docs/workflows');

describe.each(allWorkflows.map((workflow) => [workflow.name, workflow] as const))(
  'docs/workflows/%s.md',
  (name, workflow) => {
    const file = join(FOLDER, `${name}.md`);

    it('is what the statechart says', () => {
      const page = renderWorkflow(workflow);
      if (process.env['UPDATE_DOCS'] === '1') {
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(file, page);
      }

      expect(readFileSync(file, 'utf8')).toBe(page);
    });

    it('draws every top state of the statechart', () => {
      const diagram = renderDiagram(workflow.machine);

      for (const state of Object.keys(workflow.machine.states)) expect(diagram).toContain(state);
    });
  },
);
