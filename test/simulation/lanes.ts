/** A campaign over all cores: programs of plain Node side by side, which play a seed at half of what it costs inside jest. */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { bundlePrograms } from '../support/bundle.ts';
import type { ProofLine } from '../support/proof-report.ts';
import { parseLine, spawnNode } from '../support/spawn.ts';
import { type CampaignReport, summed } from './campaign.ts';

const PROGRAM = 'simulation-program';
/** A seed makes much short-lived garbage. */
const NODE_OPTIONS = '--max-semi-space-size=32';
/** No seed takes so long on any machine. */
const PER_SEED_MS = 1_000;
const BOOT_MS = 30_000;

export interface Lanes {
  /** Like `campaign`; each lane stops at the first seed of its own that breaks a promise. */
  play(first: number, count: number): Promise<CampaignReport>;
  close(): Promise<void>;
}

export async function openLanes(lanes = availableParallelism()): Promise<Lanes> {
  const folder = await bundlePrograms({ [PROGRAM]: 'test/support/simulation-program.ts' });

  async function playOne(first: number, count: number): Promise<CampaignReport> {
    const program = await spawnNode(join(folder, `${PROGRAM}.mjs`), {
      ...{ args: [String(first), String(count)], env: { NODE_OPTIONS }, ready: null },
    });
    const played = (line: string) => parseLine(line)?.['msg'] === 'played';
    const line = await program.waitForLine(played, BOOT_MS + count * PER_SEED_MS);
    const { msg: _, ...report } = JSON.parse(line);
    return report as CampaignReport;
  }

  return {
    async play(first, count) {
      const share = Math.ceil(count / lanes);
      const starts = Array.from({ length: lanes }, (_, lane) => lane * share).filter((at) => at < count);
      return summed(await Promise.all(starts.map((at) => playOne(first + at, Math.min(share, count - at)))));
    },
    close: () => rm(folder, { recursive: true }),
  };
}

export function proofOf(suite: string, first: number, report: CampaignReport): ProofLine {
  const { seeds, finished, commits, effects, faults, broken } = report;
  return {
    ...{ suite, injected: faults, done: { instances: finished, commits, effects } },
    lost: broken === null ? 0 : 1,
    seeds: `${first}..${first + seeds - 1}`,
  };
}
