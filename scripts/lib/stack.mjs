/** The whole product on this machine: Redis, emulator, API, worker; used by `npm start` and `npm run demo`. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { emulatorEnvironment, productEnvironment } from './local-environment.mjs';
import { localPorts, localSecrets } from './local-settings.mjs';
import { ensureRedis } from './redis.mjs';
import { isAlive } from './start-lock.mjs';
import { supervise } from './supervisor.mjs';

const REDIS_WATCH_MS = 500;

/**
 * `note(text)` gets one line per death and return, `say(text)` what is found on the way, `onChange(pids)` the children
 * whenever they change. `start()` resolves with `{ apiUrl, apiKey, controlUrl, groupId, emulator, redis }`.
 */
export function createStack({
  root,
  dataDir,
  note,
  say,
  env = process.env,
  onChange = () => {},
  wishes = { api: 3000, emulator: 4010, smtp: 4025 },
}) {
  const logDir = join(dataDir, 'logs');
  /** Started in this order, stopped in the reverse of it, Redis after all. */
  const children = new Map();
  let redis;
  let watch;
  let stopping = false;

  const pids = () => [...children.values()].map((child) => child.pid());
  const told = (text) => {
    note(text);
    onChange(pids());
  };

  function program(name, folder, environment, stopWithinMs) {
    const file = join(root, 'dist', folder, 'main.js');
    if (!existsSync(file)) throw new Error(`${name} is not part of this build (${file})`);
    return supervise({
      name,
      file,
      cwd: root,
      env: environment,
      logFile: join(logDir, `${name}.log`),
      stopWithinMs,
      say: told,
    });
  }

  async function launch(child) {
    if (stopping) throw new Error('stopped while starting');
    children.set(child.name, child);
    const entry = await child.start();
    onChange(pids());
    return entry;
  }

  /** Our own Redis is a child like the others: when it dies it comes back on the same data. */
  function watchRedis() {
    watch = setInterval(async () => {
      if (stopping || !redis.owned || isAlive(redis.pid)) return;
      clearInterval(watch);
      told('redis ended; starting it again');
      try {
        redis = await ensureRedis({ dataDir, fsync: 'always', log: () => {} });
        told('redis is back');
      } catch (error) {
        told(error.message);
      }
      if (!stopping) watchRedis();
    }, REDIS_WATCH_MS);
    watch.unref();
  }

  return {
    logDir,
    async start() {
      mkdirSync(logDir, { recursive: true, mode: 0o700 });
      redis = await ensureRedis({ dataDir, fsync: 'always', log: say });
      watchRedis();
      const secrets = localSecrets(dataDir);
      const fixed = env.API_PORT ? { api: Number(env.API_PORT) } : {};
      const ports = await localPorts(dataDir, wishes, fixed);
      const emulator = await launch(
        program('emulator', 'emulator', emulatorEnvironment({ ports, dataDir, env }), 5_000),
      );
      const product = await productEnvironment({
        root,
        redisUrl: redis.url,
        dataDir,
        secrets,
        ports,
        emulator,
        env,
      });
      await Promise.all([
        launch(program('api', 'api', product, 10_000)),
        launch(program('worker', 'workers', product, 20_000)),
      ]);
      return {
        apiUrl: product.PUBLIC_URL,
        apiKey: secrets.apiKey,
        emulator,
        controlUrl: emulator.control,
        groupId: product.GDAP_GROUP_IDS,
        redis,
      };
    },
    /** Sends a process SIGKILL, as a crash would; the supervisor brings it back. False when it was down already. */
    kill(name) {
      const pid = name === 'redis' ? redis.pid : children.get(name)?.pid();
      if (pid === undefined || !isAlive(pid)) return false;
      process.kill(pid, 'SIGKILL');
      return true;
    },
    async stop({ force = false } = {}) {
      stopping = true;
      clearInterval(watch);
      for (const name of ['api', 'worker', 'emulator']) await children.get(name)?.stop({ force });
      if (redis?.owned) await redis.stop();
    },
    forceStop() {
      for (const child of children.values()) void child.stop({ force: true });
    },
  };
}
