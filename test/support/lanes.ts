/** Seeds shared out over all cores: programs of plain Node side by side, at half of what they would cost inside jest. */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { bundlePrograms } from './bundle.ts';
import { parseLine, spawnNode } from './spawn.ts';

/** Much short-lived garbage is made. */
const NODE_OPTIONS = '--max-semi-space-size=32';
const BOOT_MS = 30_000;

export interface Lanes<Report> {
  /** Plays `count` seeds from `first`; a report of each lane, in the order of their seeds. */
  play(first: number, count: number): Promise<readonly Report[]>;
  close(): Promise<void>;
}

/**
 * `program` takes the first seed and the count, and ends with a line of JSON: `msg` is `played`, the rest its report.
 * `perSeedMs` is what no seed exceeds on any machine.
 */
export async function openLanes<Report>(
  program: string,
  perSeedMs: number,
  lanes = availableParallelism(),
): Promise<Lanes<Report>> {
  const folder = await bundlePrograms({ program });

  async function playOne(first: number, count: number): Promise<Report> {
    const running = await spawnNode(join(folder, 'program.mjs'), {
      ...{ args: [String(first), String(count)], env: { NODE_OPTIONS }, ready: null },
    });
    const played = (line: string) => parseLine(line)?.['msg'] === 'played';
    try {
      const line = await running.waitForLine(played, BOOT_MS + count * perSeedMs);
      const { msg: _, ...report } = JSON.parse(line);
      return report as Report;
    } finally {
      await running.kill9();
    }
  }

  return {
    play(first, count) {
      const share = Math.ceil(count / lanes);
      const starts = Array.from({ length: lanes }, (_, lane) => lane * share).filter((at) => at < count);
      return Promise.all(starts.map((at) => playOne(first + at, Math.min(share, count - at))));
    },
    close: () => rm(folder, { recursive: true }),
  };
}
