import { useState } from 'preact/hooks';
import { ProblemBox } from './parts.tsx';
import { session, signIn } from './store.ts';
import { useSubmit } from './submit.ts';

export function SignIn() {
  const [key, setKey] = useState('');
  const { busy, problem, on, run } = useSubmit();

  return (
    <main class="sign-in" id="main">
      <form class="card" onSubmit={on(() => signIn({ key: key.trim() }))}>
        <img src="/icon.svg" alt="" width="48" height="48" />
        <h1>Customer onboarding</h1>
        <p class="faint">Sign in with your API key. The key itself is not kept in the browser.</p>
        {problem !== null && <ProblemBox problem={problem} />}
        <input
          class="off"
          type="text"
          autocomplete="username"
          value="API key"
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <div class="field">
          <label for="key">API key</label>
          <input
            id="key"
            type="password"
            autocomplete="current-password"
            required
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </div>
        <button class="button-main" type="submit" disabled={busy}>
          Sign in
        </button>
        {session.value?.demo === true && (
          <button
            class="button"
            type="button"
            disabled={busy}
            onClick={() => void run(() => signIn({ demo: true }))}
          >
            Continue with the demo
          </button>
        )}
      </form>
    </main>
  );
}
