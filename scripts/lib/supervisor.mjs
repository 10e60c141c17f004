/** Keeps one program of ours running: starts it, reads its log, starts it again when it dies, stops it on request. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openLog, parseLine, readableLine } from './readable-log.mjs';

const FOLLOW_PARENT = fileURLToPath(new URL('./follow-parent.mjs', import.meta.url));
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** One that ran for so long was well: the next pause is short again. */
const WELL_AFTER_MS = 30_000;
const REMEMBERED_LINES = 15;

/** A JSON line whose `msg` is `ready`. */
export function readyEntry(line) {
  const entry = parseLine(line);
  return entry?.msg === 'ready' ? entry : undefined;
}

/**
 * `start()` resolves with the ready entry and rejects when the program ends or stays silent before its first one.
 * `stop()` sends SIGTERM, then SIGKILL after `stopWithinMs`. `say` gets one line per death and return.
 */
export function supervise({
  name,
  file,
  cwd,
  env,
  logFile,
  say,
  readyWithinMs = 60_000,
  stopWithinMs = 20_000,
  isReady = readyEntry,
}) {
  const log = openLog(logFile);
  const state = { child: undefined, stopping: false, pause: FIRST_PAUSE_MS, timer: undefined, lastLines: [] };

  function launch() {
    const startedAt = Date.now();
    const child = spawn(process.execPath, ['--import', FOLLOW_PARENT, '--enable-source-maps', file], {
      cwd,
      env,
      // A group of its own: Ctrl-C in the terminal reaches the parent only, which stops all in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    state.child = child;
    state.lastLines = [];
    const ready = new Promise((resolve) => {
      const read = (line) => {
        log.write(`${readableLine(name, line)}\n`);
        state.lastLines = [...state.lastLines, line].slice(-REMEMBERED_LINES);
        const entry = isReady(line);
        if (entry !== undefined) resolve(entry);
      };
      createInterface({ input: child.stdout }).on('line', read);
      createInterface({ input: child.stderr }).on('line', read);
    });
    const ended = once(child, 'close').then(([code, signal]) => ({
      how: signal ?? `exit code ${code}`,
      startedAt,
    }));
    child.on('error', (error) => state.lastLines.push(error.message));
    return { ready, ended };
  }

  function again({ how, startedAt }) {
    if (state.stopping) return;
    if (Date.now() - startedAt > WELL_AFTER_MS) state.pause = FIRST_PAUSE_MS;
    say(`${name} ended (${how}); starting it again`);
    state.timer = setTimeout(() => {
      const { ready, ended } = launch();
      void ready.then(() => say(`${name} is back`));
      void ended.then(again);
    }, state.pause);
    state.pause = Math.min(state.pause * 2, LONGEST_PAUSE_MS);
  }

  function lastWords() {
    return state.lastLines.map((line) => `  ${readableLine(name, line)}`).join('\n');
  }

  return {
    name,
    pid: () => state.child?.pid,
    async start() {
      const { ready, ended } = launch();
      const silence = AbortSignal.timeout(readyWithinMs);
      const silent = new Promise((_, reject) => {
        silence.onabort = () =>
          reject(new Error(`${name} did not become ready within ${readyWithinMs / 1_000} s`));
      });
      const early = ended.then(({ how }) => Promise.reject(new Error(`${name} ended at once (${how})`)));
      try {
        const entry = await Promise.race([ready, early, silent]);
        void ended.then(again);
        return entry;
      } catch (error) {
        state.stopping = true;
        state.child?.kill('SIGKILL');
        throw new Error(`${error.message}. Its last words (${logFile}):\n${lastWords()}`, { cause: error });
      } finally {
        silence.onabort = null;
        early.catch(() => {});
      }
    },
    async stop({ force = false } = {}) {
      state.stopping = true;
      clearTimeout(state.timer);
      const { child } = state;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return 'gone';
      const closed = once(child, 'close');
      child.kill(force ? 'SIGKILL' : 'SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await closed;
      clearTimeout(killer);
      log.end();
      return child.signalCode === 'SIGKILL' ? 'killed' : 'stopped';
    },
  };
}
