import { expect } from '@jest/globals';
import type { Checked } from './engine-checks.ts';
import { reportProof } from './proof-report.ts';

/** The sound one passes with faults injected and work done; the planted one is caught with the words `symptom`. */
export function expectControl(plant: string, sound: Checked, planted: Checked, symptom: RegExp): void {
  reportProof({
    suite: `control: ${plant}`,
    injected: { faults: sound.injected, 'plants caught': Math.min(1, planted.problems.length) },
    done: { 'things done': sound.done },
    lost: sound.problems.length,
  });
  expect(sound.problems).toEqual([]);
  expect(sound.injected).toBeGreaterThan(0);
  expect(sound.done).toBeGreaterThan(0);
  expect(planted.problems.join('\n')).toMatch(symptom);
}
