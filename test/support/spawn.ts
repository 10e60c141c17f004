/** Child processes of tests: our own mains run from source, killed and watched by their output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A test run that is stopped half way leaves no process behind. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

const REGISTER = fileURLToPath(new URL('./register-ts.mjs', import.meta.url));

export interface SpawnOptions {
  readonly args?: readonly string[];
  /** Added to PATH and HOME; nothing else of this process's environment is handed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves once a line of stdout passes. Default: a JSON line whose `msg` is `ready`. `null` does not wait. */
  readonly ready?: ((line: string) => boolean) | null;
  /** Opens a channel for `send`. Default: none. */
  readonly ipc?: boolean;
  /** Milliseconds to wait for it. Default 20 000. */
  readonly within?: number;
}

export interface Spawned {
  readonly pid: number;
  /** Lines of stdout and stderr so far, in order of arrival. */
  readonly lines: readonly string[];
  readonly running: () => boolean;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** The first line, past or future, that passes. */
  waitForLine(pass: (line: string) => boolean, within?: number): Promise<string>;
  /** SIGTERM, then waits; SIGKILL after `within` (default 20 000 ms). Harmless when it is gone already. */
  stop(within?: number): Promise<number | NodeJS.Signals>;
  kill9(): Promise<void>;
  /** To a process that was started with `ipc`; lost when it is gone. */
  send(message: object): void;
  /** SIGSTOP and SIGCONT: a process that hangs and comes back. */
  freeze(): void;
  thaw(): void;
}

/** The fields of a JSON line, or undefined. */
export function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function isReadyLine(line: string): boolean {
  return parseLine(line)?.['msg'] === 'ready';
}

function collectLines(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  return lines;
}

/**
 * Starts a file of this project (`workers/main.ts`, `test/fixtures/x.ts`) with Node, straight from its source, or a
 * bundle (`.mjs`) or a built file (`.js`) as it is.
 */
export async function spawnNode(file: string, options: SpawnOptions = {}): Promise<Spawned> {
  const { args = [], env = {}, ready = isReadyLine, ipc = false, within = 20_000 } = options;
  const fromSource = file.endsWith('.ts') ? ['--import', REGISTER, '--enable-source-maps'] : [];
  const child = spawn(process.execPath, [...fromSource, file, ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  });
  const lines = collectLines(child);
  alive.add(child);
  const exited = once(child, 'exit').then(([code, signal]) => {
    alive.delete(child);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  const running = () => child.exitCode === null && child.signalCode === null;

  const waitForLine = async (pass: (line: string) => boolean, limit = within) => {
    const seen = () => lines.find(pass) ?? (running() ? false : undefined);
    const line = await eventually(seen, { within: limit, what: `a line of ${file}` });
    if (line !== undefined && line !== false) return line;
    throw new Error(`${file} ended before the line came. Its last words:\n${lines.slice(-10).join('\n')}`);
  };
  const kill9 = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  if (ready !== null) {
    await waitForLine(ready).catch(async (error: unknown) => {
      await kill9();
      throw new Error(`${file} did not become ready. Its last words:\n${lines.slice(-10).join('\n')}`, {
        cause: error,
      });
    });
  }
  return {
    pid: child.pid ?? 0,
    lines,
    running,
    exited,
    waitForLine,
    stop: async (limit = 20_000) => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), limit);
      return exited.finally(() => clearTimeout(timer));
    },
    kill9,
    // A process that died meanwhile takes no message, and its end is seen elsewhere.
    send: (message) => void (child.connected && child.send(message, () => {})),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
