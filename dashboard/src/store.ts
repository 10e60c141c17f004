/** What the whole page shares: who is signed in, where we are, whether the view is live. */
import { signal } from '@preact/signals';
import { asProblem, post, read, remove } from './api.ts';
import type { Session } from './types.ts';

export const session = signal<Session | null>(null);
export const connection = signal<'connecting' | 'live' | 'reconnecting'>('connecting');
export const notice = signal<{ readonly text: string; readonly tone: 'good' | 'bad' } | null>(null);

const PAGES = ['list', 'start', 'import', 'tasks', 'unmatched', 'health'] as const;

export interface Location {
  readonly page: (typeof PAGES)[number] | 'instance';
  readonly id: string;
  readonly query: URLSearchParams;
}

/** The address after `#`: `/`, `/start`, `/tasks`, `/instances/<id>`, each with a query; the back button works. */
function readLocation(): Location {
  const [path = '/', query = ''] = window.location.hash.replace(/^#/, '').split('?');
  const id = /^\/instances\/([A-Za-z0-9_.-]+)$/.exec(path)?.[1];
  const page = id === undefined ? (PAGES.find((name) => path === `/${name}`) ?? 'list') : 'instance';
  return { page, id: id ?? '', query: new URLSearchParams(query) };
}

export const place = signal<Location>(readLocation());
window.addEventListener('hashchange', () => {
  place.value = readLocation();
  window.scrollTo(0, 0);
});

export function go(hash: string): void {
  window.location.hash = hash;
}

let clearing: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, tone: 'good' | 'bad' = 'good'): void {
  notice.value = { text, tone };
  clearTimeout(clearing);
  clearing = setTimeout(() => {
    notice.value = null;
  }, 6_000);
}

export async function loadSession(): Promise<void> {
  const { data } = await read<Session>('/v1/session');
  if (data === undefined) return;
  session.value = data;
  if (!data.signedIn && data.demo) await signIn({ demo: true });
}

export async function signIn(credentials: { readonly key: string } | { readonly demo: true }): Promise<void> {
  session.value = await post<Session>('/v1/session', credentials);
}

export async function signOut(): Promise<void> {
  try {
    await remove('/v1/session');
  } catch (error) {
    say(asProblem(error).detail, 'bad');
    return;
  }
  session.value = { signedIn: false, name: null, role: null, demo: false };
}

const MAY_OPERATE = ['operator', 'approver', 'admin'];
const MAY_APPROVE = ['approver', 'admin'];

export function mayOperate(): boolean {
  return MAY_OPERATE.includes(session.value?.role ?? '');
}

export function mayReveal(): boolean {
  return MAY_APPROVE.includes(session.value?.role ?? '');
}

export function mayIntervene(): boolean {
  return MAY_APPROVE.includes(session.value?.role ?? '');
}

export function mayAct(responsible: string): boolean {
  return (responsible === 'approver' ? MAY_APPROVE : MAY_OPERATE).includes(session.value?.role ?? '');
}
