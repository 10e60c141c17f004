/** Keeps a view current: asks every two seconds, and gets the answer only when it is a new one. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Answer, asProblem, read } from './api.ts';
import { connection, session } from './store.ts';
import type { Problem } from './types.ts';

const EVERY_MS = 2_000;
const HIDDEN_MS = 15_000;
const SLOWEST_MS = 10_000;

export interface Live<T> {
  readonly data: T | null;
  /** The last failure, null while all is well. */
  readonly problem: Problem | null;
  /** Asks at once, after an action of one's own. */
  refresh(): void;
}

type Reader<T> = (path: string, etag: string | null) => Promise<Answer<T>>;

/** `reader` must be the same function at every call, such as `readAll`. */
export function useLive<T>(path: string | null, every = EVERY_MS, reader: Reader<T> = read): Live<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; problem: Problem | null }>({
    path,
    data: null,
    problem: null,
  });
  const wake = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === null) return;
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let etag: string | null = null;
    let failures = 0;
    let round = 0;

    async function ask(address: string): Promise<void> {
      const mine = ++round;
      clearTimeout(timer);
      try {
        const answer = await reader(address, etag);
        if (stopped || mine !== round) return;
        failures = 0;
        etag = answer.etag;
        connection.value = 'live';
        if (answer.data !== undefined) setState({ path: address, data: answer.data, problem: null });
        else setState((now) => (now.problem === null ? now : { ...now, problem: null }));
      } catch (error) {
        if (stopped || mine !== round) return;
        failures += 1;
        const problem = asProblem(error);
        if (problem.status === 401 && session.value !== null)
          session.value = { ...session.value, signedIn: false, demo: false };
        if (problem.status === 0 || problem.status >= 500) connection.value = 'reconnecting';
        setState((now) => ({ path: address, data: now.path === address ? now.data : null, problem }));
      }
      const pause = document.hidden ? HIDDEN_MS : Math.min(every * 2 ** Math.min(failures, 4), SLOWEST_MS);
      timer = setTimeout(() => void ask(address), failures === 0 && !document.hidden ? every : pause);
    }

    wake.current = () => void ask(path);
    const onVisible = () => {
      if (!document.hidden) void ask(path);
    };
    document.addEventListener('visibilitychange', onVisible);
    void ask(path);
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [path, every, reader]);

  const current = state.path === path;
  return {
    data: current ? state.data : null,
    problem: current ? state.problem : null,
    refresh: () => wake.current(),
  };
}
