import '@preact/signals';
import { render } from 'preact';
import { App } from './app.tsx';
import { loadSession, session } from './store.ts';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);

const SIGNED_OUT = { signedIn: false, name: null, role: null, demo: false };
loadSession().catch(() => {
  session.value ??= SIGNED_OUT;
});
