/** Facts that came in and belong to no onboarding we know of: looked at by a person, and given to one. */
import { useMemo, useState } from 'preact/hooks';
import { post, readAll } from './api.ts';
import { useLive } from './live.ts';
import { Age, Empty, Loading, ProblemBox, ReasonField, Value } from './parts.tsx';
import { mayOperate, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { Page, Summary, UnmatchedSignal } from './types.ts';
import { humanise, visible } from './words.ts';

const EVERY_MS = 4_000;
const OPEN = '/v1/instances?status=running&children=true&limit=200';

/** What the signals that arrive by themselves are about; the rest by their own name. */
const WORDS: Readonly<Record<string, string>> = {
  'consent.reseller.granted': 'Somebody accepted our reseller invitation',
  'consent.admin.granted': 'Somebody approved the roles we asked for',
  'consent.admin.terminated': 'An admin relationship was ended',
  'invitation.bounced': 'An invitation came back undelivered',
};

export function Unmatched() {
  const { data, problem, refresh } = useLive<{ readonly data: readonly UnmatchedSignal[] }>(
    '/v1/unmatched',
    EVERY_MS,
  );
  return (
    <main id="main" class="page">
      <h1>Unmatched</h1>
      <p class="faint">
        What Microsoft or a mailbox told us and no onboarding waits for. If an onboarding for that customer
        starts later, it takes its items by itself.
      </p>
      {problem !== null && <ProblemBox problem={problem} />}
      {data === null && problem === null && <Loading />}
      {data?.data.length === 0 && (
        <Empty icon="check" title="Everything has its place">
          All that came in belongs to an onboarding.
        </Empty>
      )}
      {data?.data.map((signal) => (
        <Item key={`${signal.key} ${signal.signalId}`} signal={signal} onDone={refresh} />
      ))}
    </main>
  );
}

function Item({ signal, onDone }: { readonly signal: UnmatchedSignal; onDone(): void }) {
  const [asked, setAsked] = useState(false);
  const [about, ...rest] = signal.key.split(':');
  return (
    <section class="card" aria-label={WORDS[signal.type] ?? signal.type}>
      <div class="task-head">
        <h2>{WORDS[signal.type] ?? humanise(signal.type)}</h2>
        <span class="faint">
          <Age since={signal.at} after=" ago" />
        </span>
      </div>
      <dl class="facts">
        <div>
          <dt>{humanise(about ?? 'key')}</dt>
          <dd>
            <code class="id">{visible(rest.join(':'))}</code>
          </dd>
        </div>
        <div>
          <dt>Signal</dt>
          <dd>
            <code>{visible(signal.type)}</code>
          </dd>
        </div>
        {Object.entries(signal.payload).map(([name, value]) => (
          <div key={name}>
            <dt>{visible(humanise(name))}</dt>
            <dd>
              <Value value={value} />
            </dd>
          </div>
        ))}
      </dl>
      {mayOperate() && !asked && (
        <div class="actions">
          <button type="button" class="button" onClick={() => setAsked(true)}>
            Give it to an onboarding …
          </button>
        </div>
      )}
      {asked && <Assign signal={signal} onLeave={() => setAsked(false)} onDone={onDone} />}
    </section>
  );
}

function Assign(props: { readonly signal: UnmatchedSignal; onLeave(): void; onDone(): void }) {
  const { signal } = props;
  const { data, problem: unread } = useLive<Page<Summary>>(OPEN, 15_000, readAll);
  const [words, setWords] = useState('');
  const [chosen, setChosen] = useState('');
  const [reason, setReason] = useState('');
  const { busy, problem, on } = useSubmit();
  const options = useMemo(() => optionsOf(data?.data ?? []), [data]);
  const shown = options.filter(({ label }) => label.toLowerCase().includes(words.trim().toLowerCase()));
  const target = shown.some(({ id }) => id === chosen) ? chosen : '';

  async function assign(): Promise<void> {
    await post(`/v1/unmatched/${encodeURIComponent(signal.signalId)}/assign`, {
      instanceId: target,
      reason: reason.trim(),
    });
    say('Given to the onboarding.');
    props.onLeave();
    props.onDone();
  }

  return (
    <form class="inner-form" onSubmit={on(assign)}>
      {unread !== null && <ProblemBox problem={unread} />}
      {problem !== null && <ProblemBox problem={problem} />}
      <div class="fields">
        <div class="field">
          <label for={`find-${signal.signalId}`}>Find</label>
          <input
            id={`find-${signal.signalId}`}
            type="search"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for={`to-${signal.signalId}`}>Onboarding and stretch of it</label>
          <select
            id={`to-${signal.signalId}`}
            required
            value={target}
            onChange={(event) => setChosen(event.currentTarget.value)}
          >
            <option value="">
              {data === null ? 'Loading …' : shown.length === 0 ? 'None is open' : 'Choose …'}
            </option>
            {shown.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </div>
      </div>
      <ReasonField
        id={`why-${signal.signalId}`}
        label="Why it belongs there"
        required
        value={reason}
        onChange={setReason}
      />
      <div class="actions">
        <button type="submit" class="button-main" disabled={busy}>
          Give it to this onboarding
        </button>
        <button type="button" class="button" onClick={props.onLeave}>
          Back
        </button>
      </div>
    </form>
  );
}

/** A signal is taken by a stretch of an onboarding, so each is named with its customer. */
function optionsOf(items: readonly Summary[]): readonly { readonly id: string; readonly label: string }[] {
  const roots = new Map(items.map(({ id, subject }) => [id, subject]));
  return items
    .map(({ id, rootId, subject, title, sentence }) => ({
      id,
      label: visible(`${subject ?? roots.get(rootId) ?? rootId}: ${title} (${sentence})`),
    }))
    .toSorted((a, b) => a.label.localeCompare(b.label));
}
