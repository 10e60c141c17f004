#!/usr/bin/env node
/**
 * `npm run demo`: the three paths, headless, on a fresh data directory, through real HTTP, Redis, signed webhooks and
 * SMTP. Prints a timeline per path and a closing table; exits 0 only if all three completed and the emulator's own books
 * hold exactly the orders, tenants and licences intended. `--kill` kills processes at random moments meanwhile;
 * `--kill=SEED` repeats a run's choice of moments, `--keep` leaves the data directory.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { compareBooks } from './lib/books.mjs';
import { build } from './lib/builder.mjs';
import { apiClient, play } from './lib/play.mjs';
import { createStack } from './lib/stack.mjs';

const say = (text) => console.log(text);
const started = performance.now();
const note = (text) => say(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${text}`);
const option = (name) =>
  process.argv.find((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
const TIMELINE_MS = 60_000;

/** Mulberry32: the same seed, the same moments. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Kills a random process every now and then until told to stop; answers with how often each died. */
function killAtRandom(stack, seed) {
  const random = randomFrom(seed);
  const victims = ['worker', 'api', 'emulator', 'redis', 'worker'];
  const deaths = {};
  let over = false;
  const running = (async () => {
    while (!over) {
      await sleep(700 + random() * 2_500);
      if (over) return;
      const name = victims[Math.floor(random() * victims.length)];
      if (!stack.kill(name)) continue;
      deaths[name] = (deaths[name] ?? 0) + 1;
      note(`kill -9 ${name}`);
    }
  })();
  return {
    async end() {
      over = true;
      await running;
      return deaths;
    },
  };
}

async function timeline(api, { path, title, id }) {
  say(`\n${path}  ${title}  (${id})`);
  const { data } = await api.get(`/v1/instances/${id}/history?tree=true&limit=500`);
  const first = Date.parse(data[0]?.at);
  for (const entry of data) {
    if (entry.words)
      say(`  ${((Date.parse(entry.at) - first) / 1_000).toFixed(1).padStart(6)} s  ${entry.words}`);
  }
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const row of rows)
    say(`  ${row.map((cell, column) => String(cell).padEnd(widths[column])).join('  ')}`);
}

async function main() {
  build({ root: ROOT, log: say });
  const dataDir = mkdtempSync(join(tmpdir(), 'csp-demo-'));
  const stack = createStack({
    root: ROOT,
    dataDir,
    say: () => {},
    note: () => {},
    wishes: { api: 0, emulator: 0, smtp: 0 },
  });
  let ok = false;
  try {
    const { apiUrl, apiKey, controlUrl, groupId, redis } = await stack.start();
    note(`Redis ${redis.version}, emulator, API and worker are up`);
    const kill = option('kill');
    const seed = Number(kill?.split('=')[1] ?? Date.now() % 100_000);
    const killer = kill === undefined ? undefined : killAtRandom(stack, seed);
    const played = await play({
      apiUrl,
      apiKey,
      controlUrl,
      groupId,
      log: note,
      tag: 'demo',
      withinMs: kill === undefined ? 120_000 : 300_000,
    });
    const deaths = await killer?.end();

    const api = apiClient({ apiUrl, apiKey, deadline: performance.now() + TIMELINE_MS });
    for (const one of played) await timeline(api, one);
    const books = await settledBooks(controlUrl);
    const verdicts = compareBooks(books, played);
    say('\nWhat Microsoft has in its books, against what was intended\n');
    table([
      ['path', 'customer', 'ended', 'orders', 'tenants', 'licences', 'verdict'],
      ...verdicts.map((verdict) => verdict.cells),
    ]);
    const strangers = verdicts.flatMap(({ problems }) => problems);
    for (const problem of strangers) say(`  ${problem}`);
    if (deaths !== undefined) say(`\n  kill -9 with seed ${seed}: ${JSON.stringify(deaths)}`);
    const killedNobody = deaths !== undefined && Object.keys(deaths).length === 0;
    if (killedNobody) say('  Nothing was killed: this run proves nothing.');
    ok = strangers.length === 0 && !killedNobody;
    say(`\n${ok ? 'All three onboardings completed; the books agree.' : 'The demo FAILED.'}`);
  } finally {
    await stack.stop();
    if (option('keep') === undefined && ok) rmSync(dataDir, { recursive: true, force: true });
    else say(`  data and logs: ${dataDir}`);
  }
  process.exit(ok ? 0 : 1);
}

/** The books once nothing is under way at the emulator any more. */
async function settledBooks(controlUrl) {
  for (let tries = 0; ; tries += 1) {
    try {
      const books = await (await fetch(`${controlUrl}/books`)).json();
      if (books.pendingEffects === 0 || tries > 50) return books;
    } catch (error) {
      if (tries > 50) throw error;
    }
    await sleep(200);
  }
}

bootstrap({ log: say });
main().catch((error) => {
  console.error(`\n${error.stack ?? error.message}`);
  process.exit(1);
});
