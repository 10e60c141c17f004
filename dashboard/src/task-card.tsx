import { useMemo, useState } from 'preact/hooks';
import { asProblem, post } from './api.ts';
import { Icon } from './icons.tsx';
import { Age, ProblemBox, Value } from './parts.tsx';
import { SchemaFields } from './schema-form.tsx';
import { mayAct, say } from './store.ts';
import type { JsonSchema, Problem, Task, TaskAction } from './types.ts';
import { visible } from './words.ts';

export function TaskCard({ task, onDone }: { readonly task: Task; onDone(): void }) {
  const [chosen, setChosen] = useState<TaskAction | null>(null);
  const allowed = mayAct(task.responsible);
  return (
    <section class="card task" aria-label={task.title}>
      <div class="task-head">
        <h3>
          <Icon name="person" /> {visible(task.title)}
        </h3>
        <span class="faint">
          for {task.responsible === 'approver' ? 'an approver' : `the ${task.responsible}`},{' '}
          <Age since={task.since} before="open for " />
        </span>
      </div>
      <p>{visible(task.instructions)}</p>
      <dl class="facts">
        {Object.entries(task.shows).map(([label, value]) => (
          <div key={label}>
            <dt>{visible(label)}</dt>
            <dd>
              <Value value={value} />
            </dd>
          </div>
        ))}
      </dl>
      {!allowed && <p class="faint">Your role cannot answer this task.</p>}
      {allowed && chosen === null && (
        <div class="actions">
          {task.actions.map((action, index) => (
            <button
              key={action.name}
              type="button"
              class={index === 0 ? 'button-main' : 'button'}
              onClick={() => setChosen(action)}
            >
              {action.label}
            </button>
          ))}
        </div>
      )}
      {allowed && chosen !== null && (
        <ActionForm
          key={chosen.name}
          task={task}
          action={chosen}
          onLeave={() => setChosen(null)}
          onDone={() => {
            setChosen(null);
            onDone();
          }}
        />
      )}
    </section>
  );
}

/** Fields that are shown with the task and not texts to edit: they go along as they are. */
function settledFields({ fields, prefill }: TaskAction): ReadonlySet<string> {
  const isText = (name: string) => (fields?.properties?.[name]?.maxLength ?? 0) >= 100;
  return new Set(['reason', ...Object.keys(prefill).filter((name) => !isText(name))]);
}

function ActionForm(props: {
  readonly task: Task;
  readonly action: TaskAction;
  onLeave(): void;
  onDone(): void;
}) {
  const { task, action } = props;
  const schema: JsonSchema = action.fields ?? {};
  const [payload, setPayload] = useState<unknown>(action.prefill);
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const [id] = useState(() => crypto.randomUUID());
  const hidden = useMemo(() => settledFields(action), [action]);
  const errors = new Map(
    (problem?.errors ?? []).map(({ pointer, detail }) => [pointer.replace(/^\/payload/, ''), detail]),
  );
  const needsReason = action.reasonRequired || (schema.required?.includes('reason') ?? false);

  async function submit(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await post(`/v1/tasks/${encodeURIComponent(task.id)}/${encodeURIComponent(action.name)}`, {
        payload,
        id,
        ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
      });
      say(`${action.label}: done.`);
      props.onDone();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  }

  return (
    <form
      class="inner-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h4>{action.label}</h4>
      {problem !== null && <ProblemBox problem={problem} />}
      <SchemaFields schema={schema} value={payload} hidden={hidden} errors={errors} onChange={setPayload} />
      <div class="field">
        <label for={`reason-${id}`}>
          Reason {!needsReason && <span class="faint">optional, kept in the history</span>}
        </label>
        <textarea
          id={`reason-${id}`}
          rows={2}
          maxLength={2_000}
          required={needsReason}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </div>
      <div class="actions">
        <button
          class={action.name === 'reject' ? 'button-danger' : 'button-main'}
          type="submit"
          disabled={busy}
        >
          Confirm: {action.label}
        </button>
        <button class="button" type="button" onClick={props.onLeave}>
          Back
        </button>
      </div>
    </form>
  );
}
