#!/usr/bin/env node
/**
 * `npm start`: everything on this machine, from a fresh clone. Redis, the emulator that stands in for Microsoft, the
 * API with the dashboard, and a worker. Data live in `.data` and survive a stop. `--no-play` leaves out the examples.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { bootstrap, fail, ROOT } from './bootstrap.mjs';
import { build } from './lib/builder.mjs';
import { playedOn, rememberPlayed } from './lib/local-settings.mjs';
import { play } from './lib/play.mjs';
import { createStack } from './lib/stack.mjs';
import { takeStartLock } from './lib/start-lock.mjs';

const say = (text) => console.log(text);
const row = (label, text) => say(`  ${label.padEnd(11)}${text}`);
const note = (text) => say(`${new Date().toTimeString().slice(0, 8)}  ${text}`);
const dataDir = resolve(ROOT, process.env.STATE_DIR ?? '.data');
/** npm passes a Ctrl-C on that the terminal has delivered already: two signals at once are one wish. */
const SAME_WISH_MS = 1_000;

let lock;
let stoppingSince;
const stack = createStack({
  root: ROOT,
  dataDir,
  say,
  note,
  onChange: (children) => lock?.update({ children }),
});

async function stopAll() {
  await stack.stop();
  lock?.release();
}

async function stopOnSignal() {
  if (stoppingSince !== undefined) {
    if (Date.now() - stoppingSince < SAME_WISH_MS) return;
    say('Stopping at once.');
    stack.forceStop();
    return;
  }
  stoppingSince = Date.now();
  say('\nStopping ... (once more to stop at once)');
  try {
    await stopAll();
    say(`Stopped. The data stay in ${relative(process.cwd(), dataDir) || '.'}; npm start goes on from here.`);
    process.exit(0);
  } catch (error) {
    fail(error.message);
  }
}

async function playPaths({ apiUrl, apiKey, controlUrl, groupId }) {
  if (process.argv.includes('--no-play') || playedOn(dataDir) !== undefined) return;
  try {
    const played = await play({ apiUrl, apiKey, controlUrl, groupId, log: note });
    rememberPlayed(
      dataDir,
      played.map(({ id }) => id),
    );
    say(`\nOne onboarding of each path is done: ${apiUrl}/`);
  } catch (error) {
    if (stoppingSince === undefined) note(`the examples could not be played: ${error.message}`);
  }
}

async function main() {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  lock = await takeStartLock(dataDir);
  if (lock.holder !== undefined) {
    say(`Already running (process ${lock.holder.pid}): ${lock.holder.apiUrl ?? 'still starting'}`);
    process.exit(0);
  }
  process.on('SIGINT', stopOnSignal);
  process.on('SIGTERM', stopOnSignal);
  process.on('SIGHUP', stopOnSignal);

  build({ root: ROOT, log: say });
  const running = await stack.start();
  const { redis, emulator, apiUrl, apiKey } = running;
  lock.update({ apiUrl });
  say('');
  row(
    'Redis',
    `${redis.version}, ${redis.durable ? 'every write kept on disk' : 'NOT DURABLE'} (${redis.source})`,
  );
  row('Emulator', `${new URL(emulator.control).origin}  stands in for Microsoft and the mail server`);
  row('Inbox', emulator.inbox);
  row('API', `${apiUrl}  (key: ${apiKey})`);
  row('Worker', 'running');
  if (existsSync(join(ROOT, 'dist', 'dashboard', 'index.html'))) row('Dashboard', `${apiUrl}/`);
  row('Logs', relative(process.cwd(), stack.logDir));
  say('\nReady. Ctrl-C stops everything; the data stay.\n');
  await playPaths(running);
}

bootstrap({ log: say });
// Keeps this process alive while the children's handles come and go.
setInterval(() => {}, 60_000);
main().catch(async (error) => {
  if (stoppingSince !== undefined) return;
  stoppingSince = Date.now();
  console.error(`\n${error.message}`);
  await stopAll().catch((problem) => console.error(problem.message));
  process.exit(1);
});
