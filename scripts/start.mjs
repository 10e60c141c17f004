#!/usr/bin/env node
/**
 * `npm start`: everything on this machine, from a fresh clone. Redis, the emulator that stands in for Microsoft, the
 * API with the dashboard, and a worker. Data live in `.data` and survive a stop. `--no-play` leaves out the examples.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { bootstrap, fail, ROOT } from './bootstrap.mjs';
import { build } from './lib/builder.mjs';
import { emulatorEnvironment, productEnvironment } from './lib/local-environment.mjs';
import { localPorts, localSecrets, playedOn, rememberPlayed } from './lib/local-settings.mjs';
import { play } from './lib/play.mjs';
import { ensureRedis } from './lib/redis.mjs';
import { isAlive, takeStartLock } from './lib/start-lock.mjs';
import { supervise } from './lib/supervisor.mjs';

const say = (text) => console.log(text);
const row = (label, text) => say(`  ${label.padEnd(11)}${text}`);
const dataDir = resolve(ROOT, process.env.STATE_DIR ?? '.data');
const logDir = join(dataDir, 'logs');
/** npm passes a Ctrl-C on that the terminal has delivered already: two signals at once are one wish. */
const SAME_WISH_MS = 1_000;

/** Started in this order, stopped in the reverse of it, Redis after all. */
const running = [];
let redis;
let lock;
let stoppingSince;

function program(name, folder, env, stopWithinMs) {
  const file = join(ROOT, 'dist', folder, 'main.js');
  if (!existsSync(file)) {
    say(`  ${name} is not part of this build and is left out`);
    return undefined;
  }
  const logFile = join(logDir, `${name}.log`);
  return supervise({ name, file, cwd: ROOT, env, logFile, stopWithinMs, say: note });
}

function note(text) {
  say(`${new Date().toTimeString().slice(0, 8)}  ${text}`);
  lock?.update({ children: running.map((child) => child.pid()) });
}

async function start(child) {
  if (child === undefined) return {};
  if (stoppingSince !== undefined) throw new Error('stopped while starting');
  running.push(child);
  const entry = await child.start();
  lock.update({ children: running.map((one) => one.pid()) });
  return entry;
}

async function stopAll({ force = false } = {}) {
  const order = ['api', 'worker', 'emulator'].flatMap((name) =>
    running.filter((child) => child.name === name),
  );
  for (const child of order) await child.stop({ force });
  if (redis?.owned) await redis.stop();
  lock?.release();
}

async function stopOnSignal() {
  if (stoppingSince !== undefined) {
    if (Date.now() - stoppingSince < SAME_WISH_MS) return;
    say('Stopping at once.');
    for (const child of running) void child.stop({ force: true });
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

/** Our own Redis is a child like the others: when it dies it comes back on the same data. */
function watchRedis() {
  if (!redis.owned) return;
  const timer = setInterval(async () => {
    if (stoppingSince !== undefined || isAlive(redis.pid)) return;
    clearInterval(timer);
    note('redis ended; starting it again');
    try {
      redis = await ensureRedis({ dataDir, log: say });
      note('redis is back');
    } catch (error) {
      note(error.message);
    }
    watchRedis();
  }, 500);
  timer.unref();
}

async function playPaths(apiUrl, apiKey, emulator) {
  if (process.argv.includes('--no-play') || playedOn(dataDir) !== undefined) return;
  try {
    const controlUrl = emulator.controlUrl ?? emulator.url;
    const instances = await play({ apiUrl, apiKey, controlUrl, log: note });
    if (instances.length > 0) rememberPlayed(dataDir, instances);
  } catch (error) {
    if (stoppingSince === undefined) note(`the examples could not be played: ${error.message}`);
  }
}

async function main() {
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  lock = await takeStartLock(dataDir);
  if (lock.holder !== undefined) {
    say(`Already running (process ${lock.holder.pid}): ${lock.holder.apiUrl ?? 'still starting'}`);
    process.exit(0);
  }
  process.on('SIGINT', stopOnSignal);
  process.on('SIGTERM', stopOnSignal);
  process.on('SIGHUP', stopOnSignal);

  build({ root: ROOT, log: say });
  redis = await ensureRedis({ dataDir, fsync: 'always', log: say });
  watchRedis();
  const secrets = localSecrets(dataDir);
  const fixed = process.env.API_PORT ? { api: Number(process.env.API_PORT) } : {};
  const ports = await localPorts(dataDir, { api: 3000, emulator: 4010, smtp: 4025 }, fixed);

  say('');
  row(
    'Redis',
    `${redis.version}, ${redis.durable ? 'every write kept on disk' : 'NOT DURABLE'} (${redis.source})`,
  );
  const emulator = await start(
    program('emulator', 'emulator', emulatorEnvironment({ ports, dataDir }), 5_000),
  );
  const emulatorUrl = emulator.url ?? `http://127.0.0.1:${ports.emulator}`;
  row('Emulator', `${emulatorUrl}  stands in for Microsoft and the mail server`);
  const env = await productEnvironment({
    root: ROOT,
    redisUrl: redis.url,
    dataDir,
    secrets,
    ports,
    emulator,
  });
  await Promise.all([
    start(program('api', 'api', env, 10_000)),
    start(program('worker', 'workers', env, 20_000)),
  ]);
  const apiUrl = env.PUBLIC_URL;
  lock.update({ apiUrl });
  row('API', `${apiUrl}  (key: ${secrets.apiKey})`);
  row('Worker', 'running');
  if (existsSync(join(ROOT, 'dist', 'dashboard', 'index.html'))) row('Dashboard', `${apiUrl}/`);
  row('Logs', relative(process.cwd(), logDir));
  say('\nReady. Ctrl-C stops everything; the data stay.\n');
  await playPaths(apiUrl, secrets.apiKey, { ...emulator, url: emulatorUrl });
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
