/** A campaign over all cores. */
import { type Lanes, openLanes } from '../support/lanes.ts';
import type { ProofLine } from '../support/proof-report.ts';
import type { CampaignReport } from './campaign.ts';

/** No seed takes so long on any machine. */
const PER_SEED_MS = 1_000;

/** Each lane stops at the first seed of its own that breaks a promise. */
export function openStorms(): Promise<Lanes<CampaignReport>> {
  return openLanes('test/support/simulation-program.ts', PER_SEED_MS);
}

export function proofOf(suite: string, first: number, report: CampaignReport): ProofLine {
  const { seeds, finished, commits, effects, faults, acts, broken } = report;
  return {
    ...{ suite, injected: { ...faults, ...acts }, done: { instances: finished, commits, effects } },
    lost: broken === null ? 0 : 1,
    seeds: `${first}..${first + seeds - 1}`,
  };
}
