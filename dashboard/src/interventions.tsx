/** A hand in one instance, looked at before it is done: what would begin, end, be set and sent. */
import { useEffect, useId, useState } from 'preact/hooks';
import { ApiProblem, asProblem, post, read } from './api.ts';
import { everyState } from './chart.tsx';
import { ProblemBox, ReasonField, Value } from './parts.tsx';
import { mayIntervene, mayOperate, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { ChartState, Instance, Preview, Problem } from './types.ts';
import { bothTimes, eventWords, humanise, localTime, visible } from './words.ts';

type Kind =
  | 'retry-from'
  | 'move'
  | 'edit-context'
  | 'complete-activity'
  | 'fail-activity'
  | 'dismiss-attention';

interface Hand {
  readonly label: string;
  readonly help: string;
  /** It can stand for an approval, so it takes an approver. */
  readonly approver: boolean;
}

const HANDS: Readonly<Record<Kind, Hand>> = {
  'retry-from': {
    label: 'Try again from a state',
    help: 'Goes back to a state it has been in; a failed one is opened again.',
    approver: false,
  },
  'dismiss-attention': {
    label: 'Take it off the attention list',
    help: 'What was set aside is given up.',
    approver: false,
  },
  move: {
    label: 'Move to a state',
    help: 'Leaves what has to be left and enters the state anew.',
    approver: true,
  },
  'edit-context': {
    label: 'Edit its data',
    help: 'A JSON object; each field named is replaced whole.',
    approver: true,
  },
  'complete-activity': {
    label: 'Complete a step by hand',
    help: 'You did it elsewhere: give the output it would have had, as JSON.',
    approver: true,
  },
  'fail-activity': {
    label: 'End a step as failed',
    help: 'The statechart then deals with the failure as it does with any other.',
    approver: true,
  },
};
const OPEN_KINDS: readonly Kind[] = [
  'move',
  'edit-context',
  'complete-activity',
  'fail-activity',
  'dismiss-attention',
];

interface Draft {
  readonly state: string;
  readonly json: string;
  readonly token: string;
  readonly message: string;
}

type Operation = { readonly kind: Kind } & Readonly<Record<string, unknown>>;

/** Raises `ApiProblem` for JSON that is none. */
function operationOf(kind: Kind, { state, json, token, message }: Draft): Operation {
  if (kind === 'retry-from') return { kind, state };
  if (kind === 'move') return { kind, to: state };
  if (kind === 'edit-context') return { kind, changes: parsed(json) };
  if (kind === 'complete-activity') return { kind, token, output: parsed(json) };
  if (kind === 'fail-activity') return { kind, token, code: 'failed-by-hand', message };
  return { kind };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new ApiProblem({ ...asProblem(error), title: 'This is not valid JSON' });
  }
}

/** Where it is done, and what is sent. */
function requestOf(id: string, { kind, token, ...fields }: Operation) {
  const base = `/v1/instances/${id}`;
  if (kind === 'complete-activity') return { path: `${base}/activities/${token}/complete`, fields };
  if (kind === 'fail-activity') return { path: `${base}/activities/${token}/fail`, fields };
  return { path: `${base}/${kind}`, fields };
}

export function Interventions({ instance, onDone }: { readonly instance: Instance; onDone(): void }) {
  const open = instance.status === 'running' || instance.status === 'paused';
  const kinds = (Object.keys(HANDS) as Kind[]).filter(
    (kind) =>
      (mayIntervene() || !HANDS[kind].approver) &&
      (open || !OPEN_KINDS.includes(kind)) &&
      (kind !== 'dismiss-attention' || instance.attention !== null) &&
      (!kind.endsWith('-activity') || instance.activities.length > 0),
  );
  const [chosen, setChosen] = useState<Kind | null>(null);
  const field = useId();
  if (!mayOperate() || kinds.length === 0 || !['running', 'paused', 'failed'].includes(instance.status))
    return null;
  return (
    <div class="hands">
      <div class="field">
        <label for={field}>Intervene by hand</label>
        <select
          id={field}
          value={chosen ?? ''}
          onChange={(event) => setChosen(kinds.find((kind) => kind === event.currentTarget.value) ?? null)}
        >
          <option value="">Choose …</option>
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {HANDS[kind].label}
            </option>
          ))}
        </select>
      </div>
      {chosen !== null && (
        <HandForm
          key={`${instance.id} ${chosen}`}
          instance={instance}
          kind={chosen}
          onDone={() => {
            setChosen(null);
            onDone();
          }}
        />
      )}
    </div>
  );
}

function HandForm(props: { readonly instance: Instance; readonly kind: Kind; onDone(): void }) {
  const { instance, kind } = props;
  const [draft, setDraft] = useState<Draft>({ state: '', json: '{\n  \n}', token: '', message: '' });
  const [looked, setLooked] = useState<{ readonly operation: Operation; readonly preview: Preview } | null>(
    null,
  );
  const [reason, setReason] = useState('');
  const { busy, problem, on } = useSubmit();
  const field = useId();

  async function look(): Promise<void> {
    const operation = operationOf(kind, draft);
    const preview = await post<Preview>(`/v1/instances/${instance.id}/preview`, { operation });
    setLooked({ operation, preview });
  }

  async function carryOut(): Promise<void> {
    if (looked === null) return;
    const { path, fields } = requestOf(instance.id, looked.operation);
    const body = { ...fields, reason: reason.trim() };
    const revision = looked.preview.before?.revision;
    // What was looked at is what is done: an instance that moved on meanwhile refuses.
    await post(path, body, revision === undefined ? {} : { 'If-Match': `"${revision}"` });
    say(`${HANDS[kind].label}: done.`);
    props.onDone();
  }

  const change = (next: Partial<Draft>) => {
    setDraft({ ...draft, ...next });
    setLooked(null);
  };
  const possible = looked !== null && looked.preview.status !== 'impossible';
  return (
    <form class="inner-form" onSubmit={on(looked === null ? look : carryOut)}>
      <p class="faint">{HANDS[kind].help}</p>
      {problem !== null && <ProblemBox problem={problem} />}
      <HandFields instance={instance} kind={kind} draft={draft} onChange={change} />
      {looked !== null && <Effects preview={looked.preview} />}
      {possible && <ReasonField id={field} required value={reason} onChange={setReason} />}
      <div class="actions">
        {possible ? (
          <button type="submit" class="button-danger" disabled={busy}>
            Do it: {HANDS[kind].label.toLowerCase()}
          </button>
        ) : (
          <button type="submit" class="button-main" disabled={busy || looked !== null}>
            Show what would happen
          </button>
        )}
      </div>
    </form>
  );
}

function HandFields(props: {
  readonly instance: Instance;
  readonly kind: Kind;
  readonly draft: Draft;
  onChange(next: Partial<Draft>): void;
}) {
  const { instance, kind, draft, onChange } = props;
  const field = useId();
  const wantsJson = kind === 'edit-context' || kind === 'complete-activity';
  return (
    <>
      {(kind === 'move' || kind === 'retry-from') && (
        <StateSelect id={instance.id} value={draft.state} onChange={(state) => onChange({ state })} />
      )}
      {kind.endsWith('-activity') && (
        <div class="field">
          <label for={`${field}-step`}>Step</label>
          <select
            id={`${field}-step`}
            required
            value={draft.token}
            onChange={(event) => onChange({ token: event.currentTarget.value })}
          >
            <option value="">Choose …</option>
            {instance.activities.map(({ token, description }) => (
              <option key={token} value={token}>
                {visible(description)}
              </option>
            ))}
          </select>
        </div>
      )}
      {wantsJson && (
        <div class="field">
          <label for={`${field}-json`}>{kind === 'edit-context' ? 'Fields to replace' : 'Output'}</label>
          <textarea
            id={`${field}-json`}
            class="mono"
            rows={5}
            required
            spellcheck={false}
            value={draft.json}
            onInput={(event) => onChange({ json: event.currentTarget.value })}
          />
        </div>
      )}
      {kind === 'edit-context' && (
        <details>
          <summary>Its data now</summary>
          <Value value={instance.context} />
        </details>
      )}
      {kind === 'fail-activity' && (
        <div class="field">
          <label for={`${field}-message`}>What went wrong</label>
          <input
            id={`${field}-message`}
            type="text"
            required
            maxLength={2_000}
            value={draft.message}
            onInput={(event) => onChange({ message: event.currentTarget.value })}
          />
        </div>
      )}
    </>
  );
}

function StateSelect(props: { readonly id: string; readonly value: string; onChange(state: string): void }) {
  const { id } = props;
  const [states, setStates] = useState<readonly ChartState[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const field = useId();
  useEffect(() => {
    let current = true;
    read<ChartState>(`/v1/instances/${id}/chart`)
      .then(({ data }) => current && setStates(data === undefined ? [] : everyState(data).slice(1)))
      .catch((error: unknown) => current && setProblem(asProblem(error)));
    return () => {
      current = false;
    };
  }, [id]);
  if (problem !== null) return <ProblemBox problem={problem} />;
  return (
    <div class="field">
      <label for={field}>State</label>
      <select
        id={field}
        required
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        <option value="">{states === null ? 'Loading …' : 'Choose …'}</option>
        {states?.map(({ path }) => (
          <option key={path} value={path}>
            {path.split('.').map(humanise).join(', ')}
          </option>
        ))}
      </select>
    </div>
  );
}

const EFFECTS: Readonly<Record<string, string>> = {
  'activity-begins': 'Begins',
  'activity-again': 'Tries again',
  'activity-canceled': 'Stops',
  'timer-set': 'Sets the timer',
  'timer-cleared': 'Clears the timer',
  'child-begins': 'Begins the stretch',
  'child-stopped': 'Stops the stretch',
  message: 'Sends',
  ran: 'Does',
  emitted: 'Announces',
  attention: 'Calls for a person:',
};

function subjectOf(effect: Preview['effects'][number]): string {
  const { activity, definition, actorId, action, code, event } = effect;
  const type = typeof event === 'object' ? event.type : event;
  return activity ?? definition ?? actorId ?? action ?? code ?? eventWords(type ?? '');
}

function Effects({ preview }: { readonly preview: Preview }) {
  const { status, detail, before, after, effects } = preview;
  return (
    <section class={`banner ${status === 'impossible' ? 'banner-bad' : 'banner-warn'}`} aria-live="polite">
      <div>
        <strong>
          {status === 'impossible' ? 'This cannot be done now.' : 'What would happen'}
          {status === 'deferred' && ', once its state allows'}
        </strong>
        {detail !== null && <p>{visible(detail)}</p>}
        {before !== null && after !== null && (
          <dl class="facts">
            <div>
              <dt>From</dt>
              <dd>{stateWords(before.state)}</dd>
            </div>
            <div>
              <dt>To</dt>
              <dd>
                {stateWords(after.state)}, {after.status}
              </dd>
            </div>
          </dl>
        )}
        {status !== 'impossible' && effects.length === 0 && <p>Nothing outside the instance changes.</p>}
        <ul>
          {effects.map((effect, index) => (
            <li key={index}>
              {EFFECTS[effect.type] ?? humanise(effect.type)} {visible(subjectOf(effect))}
              {effect.fireAt !== undefined && (
                <time dateTime={effect.fireAt} title={bothTimes(effect.fireAt)}>
                  {' '}
                  for {localTime(effect.fireAt)}
                </time>
              )}
              {effect.mayRun === true && '; it may be running, so whether it took effect is then unknown'}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

/** `{ a: { b: 'c' } }` as `A, b, c`. */
function stateWords(state: unknown): string {
  if (typeof state === 'string') return humanise(state);
  if (typeof state !== 'object' || state === null) return String(state);
  return Object.entries(state)
    .map(([name, inner]) => {
      const below = stateWords(inner);
      return below === '' ? humanise(name) : `${humanise(name)} (${below})`;
    })
    .join(' and ');
}
