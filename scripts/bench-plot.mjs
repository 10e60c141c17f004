#!/usr/bin/env node
/** `node scripts/bench-plot.mjs figures.json docs/benchmarks.svg`: the bench's figures drawn, without a library. */
import { readFileSync, writeFileSync } from 'node:fs';
import { barChart, lineChart, page } from './lib/svg-chart.mjs';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error('usage: node scripts/bench-plot.mjs figures.json benchmarks.svg');
  process.exit(1);
}
const { rows } = JSON.parse(readFileSync(from, 'utf8'));
const figure = (part, name) => rows.find((row) => row.part === part && row.name === name)?.value;

const SIDES = { raw: 'raw BullMQ', 'step job': 'BullMQ step job', ours: 'ours' };
const policies = ['everysec', 'always'].filter(
  (fsync) => figure(`throughput, AOF ${fsync}`, 'workflows/s, ours') !== undefined,
);

/** Points of the rows of one part whose name fits; the first group of the pattern is x. */
function pointsOf(part, pattern) {
  return rows.flatMap((row) => {
    const found = row.part === part ? pattern.exec(row.name) : null;
    return found === null ? [] : [{ x: Number(found[1]), y: row.value }];
  });
}

const charts = [
  barChart({
    title: 'Workflows per second (10 activities, one signal)',
    groups: policies.map((fsync) => ({
      label: `AOF ${fsync}`,
      bars: Object.entries(SIDES).map(([label, name]) => ({
        label,
        value: figure(`throughput, AOF ${fsync}`, `workflows/s, ${name}`) ?? 0,
      })),
    })),
  }),
  lineChart({
    title: 'CPU of Node per workflow, ms, by activities',
    points: pointsOf('activities', /^CPU of Node, (\d+) activities$/),
  }),
  lineChart({
    title: 'Signal to first line, ms, by parked instances',
    points: pointsOf('signal', /^signal to first line p50, (\d+) parked$/),
    logX: true,
  }),
  lineChart({
    title: 'Listing 50 by status, ms, by instances',
    points: pointsOf('listing', /^50 of (\d+) by status$/),
    logX: true,
  }),
].filter((chart) => chart !== null);
if (charts.length === 0) throw new Error(`${from} holds nothing that can be drawn.`);
writeFileSync(to, page(charts));
