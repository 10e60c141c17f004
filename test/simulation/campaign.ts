/** Many seeds in a row, summed up. A failing seed is played again with its trace. */
import type { Plant } from './plants.ts';
import { type Report, simulate } from './simulate.ts';
import { FAULTS, type Fault } from './weather.ts';

export interface CampaignReport {
  readonly seeds: number;
  readonly commits: number;
  readonly finished: number;
  readonly effects: number;
  readonly virtualHours: number;
  readonly faults: Readonly<Record<Fault, number>>;
  /** What broke, with the seed that shows it and the end of its trace. */
  readonly broken: string | null;
}

const TAIL = 60;

/** Plays `count` seeds from `first`; stops at the first that breaks a promise. */
export async function campaign(first: number, count: number, plant?: Plant): Promise<CampaignReport> {
  const faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const sum = { seeds: 0, commits: 0, finished: 0, effects: 0, virtualMs: 0 };
  let broken: string | null = null;
  for (let seed = first; seed < first + count && broken === null; seed += 1) {
    const report = await simulate(seed, plant === undefined ? {} : { plant });
    sum.seeds += 1;
    for (const part of ['commits', 'finished', 'effects', 'virtualMs'] as const) sum[part] += report[part];
    for (const fault of FAULTS) faults[fault] += report.faults[fault];
    if (report.violation !== null) broken = await explain(report, plant);
  }
  const { virtualMs, ...counts } = sum;
  return { ...counts, virtualHours: Math.round(virtualMs / 36_000) / 100, faults, broken };
}

async function explain({ seed, violation }: Report, plant: Plant | undefined): Promise<string> {
  const { tail } = await simulate(seed, { tail: TAIL, ...(plant === undefined ? {} : { plant }) });
  return [
    `seed ${seed}: ${violation}`,
    `Play it again: SIM_FIRST=${seed} SIM_SEEDS=1 npm run jest -- --selectProjects unit --testPathPatterns test/simulation`,
    ...tail,
  ].join('\n');
}

/** How often each fault must really have struck, in a thousand seeds: far below what does, far above nothing. */
const FLOOR_PER_THOUSAND = 3;

/** What a campaign did too little of to mean anything. */
export function tooLittle({ seeds, finished, commits, faults }: CampaignReport): readonly string[] {
  const floor = Math.floor((seeds * FLOOR_PER_THOUSAND) / 1_000);
  return [
    ...FAULTS.filter((fault) => faults[fault] < floor).map((fault) => `${fault}: ${faults[fault]}`),
    ...(finished < seeds ? [`finished instances: ${finished}`] : []),
    ...(commits < 5 * seeds ? [`commits: ${commits}`] : []),
  ];
}
