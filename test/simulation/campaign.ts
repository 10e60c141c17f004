/** Many seeds in a row, summed up. */
import { ACTS, type Act } from './judge.ts';
import type { Plant } from './plants.ts';
import { type Report, simulate, TRACES } from './simulate.ts';
import { FAULTS, type Fault } from './weather.ts';

export interface CampaignReport {
  readonly seeds: number;
  readonly commits: number;
  readonly finished: number;
  readonly effects: number;
  readonly virtualMs: number;
  readonly faults: Readonly<Record<Fault, number>>;
  readonly acts: Readonly<Record<Act, number>>;
  /** What broke, with the seed that shows it and the end of its trace. */
  readonly broken: string | null;
  /** Sum of the runs' own: equal when all of the runs are, however they are shared out. */
  readonly trace: number;
}

const SUMS = ['seeds', 'commits', 'finished', 'effects', 'virtualMs'] as const;

/** Plays `count` seeds from `first`; stops at the first that breaks a promise. */
export async function campaign(first: number, count: number, plant?: Plant): Promise<CampaignReport> {
  const reports: CampaignReport[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const report = await simulate(seed, plant === undefined ? {} : { plant });
    const { commits, finished, effects, virtualMs, faults, acts, trace } = report;
    const broken = report.violation === null ? null : explain(report);
    reports.push({ seeds: 1, commits, finished, effects, virtualMs, faults, acts, broken, trace });
    if (broken !== null) break;
  }
  return summed(reports);
}

/** Of campaigns, in the order of their seeds. */
export function summed(reports: readonly CampaignReport[]): CampaignReport {
  const sum = (of: (report: CampaignReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const sums = Object.fromEntries(SUMS.map((part) => [part, sum((report) => report[part])]));
  const faults = Object.fromEntries(FAULTS.map((fault) => [fault, sum((report) => report.faults[fault])]));
  const acts = Object.fromEntries(ACTS.map((act) => [act, sum((report) => report.acts[act])]));
  return {
    ...(sums as Record<(typeof SUMS)[number], number>),
    faults: faults as Record<Fault, number>,
    acts: acts as Record<Act, number>,
    broken: reports.find(({ broken }) => broken !== null)?.broken ?? null,
    trace: sum(({ trace }) => trace) % TRACES,
  };
}

function explain({ seed, violation, tail }: Report): string {
  return [
    `seed ${seed}: ${violation}`,
    `Play it again: SIM_FIRST=${seed} SIM_SEEDS=1 npm run jest -- --selectProjects unit --testPathPatterns test/simulation`,
    ...tail,
  ].join('\n');
}

/** How often each must really have come, in a thousand seeds: far below what does, far above nothing. */
const FAULTS_PER_THOUSAND = 3;
const ACTS_PER_THOUSAND = 1;

/** What a campaign did too little of to mean anything. */
export function tooLittle({ seeds, finished, commits, faults, acts }: CampaignReport): readonly string[] {
  const floor = (perThousand: number): number => Math.floor((seeds * perThousand) / 1_000);
  return [
    ...FAULTS.filter((fault) => faults[fault] < floor(FAULTS_PER_THOUSAND)).map(
      (fault) => `${fault}: ${faults[fault]}`,
    ),
    ...ACTS.filter((act) => acts[act] < floor(ACTS_PER_THOUSAND)).map((act) => `${act}: ${acts[act]}`),
    ...(finished < seeds ? [`finished instances: ${finished}`] : []),
    ...(commits < 5 * seeds ? [`commits: ${commits}`] : []),
  ];
}
