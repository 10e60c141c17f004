/** A secret, shown once: the API destroys it first. It lives in this component's state and nowhere else. */
import { useEffect, useState } from 'preact/hooks';
import { post } from './api.ts';
import { Icon } from './icons.tsx';
import { ProblemBox, ReasonField } from './parts.tsx';
import { mayReveal, say } from './store.ts';
import { useSubmit } from './submit.ts';
import { humanise } from './words.ts';

const SHOWN_MS = 120_000;

export function Reveal({ instanceId, name }: { readonly instanceId: string; readonly name: string }) {
  const [asked, setAsked] = useState(false);
  const [reason, setReason] = useState('');
  const [value, setValue] = useState<string | null>(null);
  const { busy, problem, on } = useSubmit();

  // Nothing is left for who comes after: not in a page kept for the back button, nor on a screen left alone.
  useEffect(() => {
    if (value === null) return;
    const hide = () => {
      setValue(null);
      setAsked(false);
    };
    const timer = setTimeout(hide, SHOWN_MS);
    window.addEventListener('pagehide', hide);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('pagehide', hide);
    };
  }, [value]);

  async function reveal(): Promise<void> {
    const address = `/v1/instances/${instanceId}/secrets/${encodeURIComponent(name)}/reveal`;
    const shown = await post<{ readonly value: string }>(address, { reason: reason.trim() });
    setValue(shown.value);
    setReason('');
  }

  if (!mayReveal()) return <p class="faint">An approver can reveal the {humanise(name).toLowerCase()}.</p>;
  if (value !== null)
    return (
      <Shown
        value={value}
        onHide={() => {
          setValue(null);
          setAsked(false);
        }}
      />
    );
  if (!asked)
    return (
      <div class="actions">
        <button type="button" class="button" onClick={() => setAsked(true)}>
          <Icon name="key" /> Reveal the {humanise(name).toLowerCase()} …
        </button>
      </div>
    );
  return (
    <form class="inner-form" onSubmit={on(reveal)}>
      <div class="banner banner-warn">
        <Icon name="alert" />
        <div>
          <strong>It is shown once and destroyed.</strong>
          <p>Have a safe way to the customer ready. Who revealed it, when and why is kept in the history.</p>
        </div>
      </div>
      {problem !== null && <ProblemBox problem={problem} />}
      <ReasonField
        id={`reveal-${name}`}
        label="Why it is revealed now"
        required
        value={reason}
        onChange={setReason}
      />
      <div class="actions">
        <button type="submit" class="button-danger" disabled={busy}>
          Reveal once and destroy
        </button>
        <button type="button" class="button" onClick={() => setAsked(false)}>
          Back
        </button>
      </div>
    </form>
  );
}

function Shown({ value, onHide }: { readonly value: string; onHide(): void }) {
  return (
    <section class="secret" aria-label="The secret">
      {fieldsOf(value).map(([name, text]) => (
        <div key={name} class="secret-line">
          <span class="faint">{humanise(name)}</span>
          {/* Digits and letters are told apart, and every character is the secret's own. */}
          <code class="secret-text" translate={false}>
            {text}
          </code>
          <button type="button" class="button" onClick={() => void copy(text)}>
            Copy<span class="sr-only"> {humanise(name)}</span>
          </button>
        </div>
      ))}
      <p class="faint">Destroyed on our side. It leaves this page when you do, and after two minutes.</p>
      <div class="actions">
        <button type="button" class="button" onClick={onHide}>
          Hide
        </button>
      </div>
    </section>
  );
}

/** A secret of several parts is a JSON object of texts. */
function fieldsOf(value: string): readonly (readonly [string, string])[] {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return Object.entries(parsed).map(([name, text]) => [name, String(text)]);
  } catch {
    // A plain text.
  }
  return [['secret', value]];
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say('Copied. Clear the clipboard when it is handed over.');
  } catch {
    say('The browser does not let this page copy: mark it and copy by hand.', 'bad');
  }
}
