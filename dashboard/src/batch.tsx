/** One operation for everything that a view of the list holds: counted first, and refused if more came meanwhile. */
import { useId, useState } from 'preact/hooks';
import { post } from './api.ts';
import { ProblemBox, ReasonField } from './parts.tsx';
import { mayIntervene, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { BatchReport } from './types.ts';
import { count, visible } from './words.ts';

const KINDS = {
  pause: 'Pause',
  resume: 'Resume',
  retry: 'Try again now',
  'dismiss-attention': 'Take off the attention list',
  cancel: 'Cancel',
} as const;
type Kind = keyof typeof KINDS;

/** `status=running&children=true` as the API's filter. */
function filterOf(query: string): Readonly<Record<string, string | boolean>> {
  return Object.fromEntries(
    [...new URLSearchParams(query)].map(([name, value]) => [name, value === 'true' ? true : value]),
  );
}

/** `query` is the view's, without its page. */
export function Batch({ query }: { readonly query: string }) {
  const [kind, setKind] = useState<Kind | null>(null);
  const field = useId();
  if (!mayIntervene()) return null;
  return (
    <details class="card">
      <summary>Do one thing to all of these</summary>
      <div class="field">
        <label for={field}>Operation</label>
        <select
          id={field}
          value={kind ?? ''}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            setKind(chosen in KINDS ? (chosen as Kind) : null);
          }}
        >
          <option value="">Choose …</option>
          {Object.entries(KINDS).map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      </div>
      {kind !== null && <BatchForm key={kind} kind={kind} query={query} />}
    </details>
  );
}

function BatchForm({ kind, query }: { readonly kind: Kind; readonly query: string }) {
  // The same id does it once an instance, so a batch that was cut short is sent again.
  const [id] = useState(() => crypto.randomUUID());
  const [counted, setCounted] = useState<number | null>(null);
  const [report, setReport] = useState<BatchReport | null>(null);
  const [reason, setReason] = useState('');
  const { busy, problem, on } = useSubmit();
  const field = useId();

  const send = (more: object) =>
    post<BatchReport>('/v1/batches', {
      ...{ id, filter: filterOf(query), operation: { kind }, reason: reason.trim() },
      ...more,
    });

  async function look(): Promise<void> {
    setCounted((await send({ dryRun: true })).matched);
  }

  async function carryOut(): Promise<void> {
    const done = await send({ dryRun: false, expected: counted });
    setReport(done);
    say(`${KINDS[kind]}: ${done.done} done.`, done.refused.length === 0 ? 'good' : 'bad');
  }

  if (report !== null) return <Outcome report={report} />;
  return (
    <form class="inner-form" onSubmit={on(counted === null ? look : carryOut)}>
      {problem !== null && <ProblemBox problem={problem} />}
      <ReasonField id={field} required value={reason} onChange={setReason} />
      <div class="actions">
        {counted === null ? (
          <button type="submit" class="button-main" disabled={busy}>
            Count them
          </button>
        ) : (
          <button type="submit" class="button-danger" disabled={busy || counted === 0}>
            {counted === 0 ? 'There are none' : `${KINDS[kind]}: all ${counted}`}
          </button>
        )}
      </div>
    </form>
  );
}

function Outcome({ report }: { readonly report: BatchReport }) {
  const { done, before, refused } = report;
  return (
    <div class={`banner ${refused.length === 0 ? 'banner-good' : 'banner-warn'}`} role="status">
      <div>
        <strong>
          Done for {count(done + before, 'instance')}
          {refused.length > 0 && `, refused by ${refused.length}`}.
        </strong>
        <ul>
          {refused.map(({ instanceId, message }) => (
            <li key={instanceId}>
              <a href={`#/instances/${instanceId}`}>{instanceId}</a>: {visible(message)}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
