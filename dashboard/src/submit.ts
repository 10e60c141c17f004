/** What a form sends: one thing at a time, busy meanwhile, and the problem it ended with. */
import { useState } from 'preact/hooks';
import { asProblem } from './api.ts';
import type { Problem } from './types.ts';

export interface Submit {
  readonly busy: boolean;
  /** Of the last try; null while one is under way and after one that went well. */
  readonly problem: Problem | null;
  /** Never rejects; `onFail` hears of a failure beside what is shown. */
  run(act: () => Promise<void>, onFail?: (problem: Problem) => void): Promise<void>;
  /** For a form's `onSubmit`: the page stays. */
  on(act: () => Promise<void>, onFail?: (problem: Problem) => void): (event: Event) => void;
}

export function useSubmit(): Submit {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function run(act: () => Promise<void>, onFail?: (problem: Problem) => void): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      const failed = asProblem(error);
      setProblem(failed);
      onFail?.(failed);
    }
    setBusy(false);
  }

  return {
    busy,
    problem,
    run,
    on: (act, onFail) => (event) => {
      event.preventDefault();
      void run(act, onFail);
    },
  };
}
