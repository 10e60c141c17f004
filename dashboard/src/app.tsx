import { Detail } from './detail.tsx';
import { HealthPage } from './health.tsx';
import { Icon } from './icons.tsx';
import { ImportPage } from './import.tsx';
import { List } from './list.tsx';
import { useLive } from './live.ts';
import { SignIn } from './sign-in.tsx';
import { Start } from './start.tsx';
import { connection, notice, place, session, signOut } from './store.ts';
import { Tasks } from './tasks.tsx';
import type { Readiness } from './types.ts';
import { Unmatched } from './unmatched.tsx';

export function App() {
  const who = session.value;
  if (who === null) return null;
  if (!who.signedIn) return <SignIn />;
  return (
    <>
      <button type="button" class="skip" onClick={focusMain}>
        Skip to the content
      </button>
      <Bar />
      <Warnings />
      <Content />
      <div class="notice-place" role="status" aria-live="polite">
        {notice.value !== null && <p class={`notice notice-${notice.value.tone}`}>{notice.value.text}</p>}
      </div>
    </>
  );
}

function Content() {
  const { page, id } = place.value;
  if (page === 'instance') return <Detail key={id} id={id} />;
  if (page === 'start') return <Start />;
  if (page === 'import') return <ImportPage />;
  if (page === 'tasks') return <Tasks />;
  if (page === 'unmatched') return <Unmatched />;
  return page === 'health' ? <HealthPage /> : <List />;
}

const PLACES = [
  { address: '#/', label: 'Onboardings', pages: ['list', 'instance', 'start', 'import'] },
  { address: '#/tasks', label: 'Tasks', pages: ['tasks'] },
  { address: '#/unmatched', label: 'Unmatched', pages: ['unmatched'] },
  { address: '#/health', label: 'Health', pages: ['health'] },
] as const;

function Places() {
  const { page } = place.value;
  return (
    <nav class="places" aria-label="Pages">
      {PLACES.map(({ address, label, pages }) => (
        <a
          key={address}
          href={address}
          aria-current={(pages as readonly string[]).includes(page) ? 'page' : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}

function focusMain(): void {
  const main = document.getElementById('main');
  main?.setAttribute('tabindex', '-1');
  main?.focus();
}

const CONNECTION = { connecting: 'connecting', live: 'live', reconnecting: 'reconnecting' } as const;

function Bar() {
  const state = connection.value;
  return (
    <header class="bar">
      <a class="brand" href="#/">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <span>Customer onboarding</span>
      </a>
      <Places />
      <span class={`live live-${state}`} role="status">
        {CONNECTION[state]}
      </span>
      <span class="who">
        <Icon name="person" />
        <span>
          {session.value?.name} <span class="faint">{session.value?.role}</span>
        </span>
      </span>
      <button type="button" class="button-quiet" onClick={() => void signOut()}>
        Sign out
      </button>
    </header>
  );
}

function Warnings() {
  const { data } = useLive<Readiness>('/readyz?verbose', 15_000);
  const checks = data?.checks;
  if (checks === undefined) return null;
  return (
    <>
      {checks.store.warnings.map((warning) => (
        <p key={warning} class="strip strip-bad" role="alert">
          <Icon name="alert" /> {warning}
        </p>
      ))}
      {!checks.workers.ok && (
        <p class="strip" role="status">
          <Icon name="alert" /> No worker is running: what is started is kept and waits for one.
        </p>
      )}
    </>
  );
}
