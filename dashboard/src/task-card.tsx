import { useMemo, useState } from 'preact/hooks';
import { post } from './api.ts';
import { Icon } from './icons.tsx';
import { MailPreview } from './mail-preview.tsx';
import { Age, Due, ProblemBox, ReasonField, Value } from './parts.tsx';
import { Reveal } from './reveal.tsx';
import { isObject, SchemaFields } from './schema-form.tsx';
import { mayAct, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { JsonSchema, Task, TaskAction } from './types.ts';
import { humanise, visible } from './words.ts';

const whoseWords = (who: string) => (who === 'approver' ? 'an approver' : `the ${who}`);

export function TaskCard({ task, onDone }: { readonly task: Task; onDone(): void }) {
  return (
    <section class="card task" aria-label={task.title}>
      <div class="task-head">
        <h3>
          <Icon name="person" /> {visible(task.title)}
        </h3>
        <span class="faint">
          for {whoseWords(task.responsible)}, <Age since={task.since} before="open for " />
        </span>
      </div>
      <TaskBody task={task} onDone={onDone} />
    </section>
  );
}

/** What a task says and takes, without its title. */
export function TaskBody({ task, onDone }: { readonly task: Task; onDone(): void }) {
  const [chosen, setChosen] = useState<TaskAction | null>(null);
  const allowed = mayAct(task.responsible);
  return (
    <>
      <Terms task={task} />
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
      {task.reveals !== null && <Reveal instanceId={task.instanceId} name={task.reveals} />}
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
    </>
  );
}

/** When it is due, who looks after it then, and how "done" is judged. */
function Terms({ task }: { readonly task: Task }) {
  const { dueAt, escalatesTo, verify, evidence, optional } = task;
  return (
    <ul class="terms">
      {dueAt !== null && (
        <li>
          <Due at={dueAt} />
          {escalatesTo !== null && <>; once it is overdue, {whoseWords(escalatesTo)} looks after it</>}
        </li>
      )}
      {optional && <li>An offer: nothing waits for it.</li>}
      {verify !== null && (
        <li>
          {verify.how === 'api' ? 'Read again afterwards: ' : 'Believed from your evidence: '}
          {visible(verify.by)}
        </li>
      )}
      {evidence.length > 0 && (
        <li>Evidence is kept: {evidence.map((field) => humanise(field).toLowerCase()).join(', ')}.</li>
      )}
    </ul>
  );
}

/** Fields that are shown with the task and not texts to edit: they go along as they are. */
function settledFields({ fields, prefill }: TaskAction): ReadonlySet<string> {
  const isText = (name: string) => (fields?.properties?.[name]?.maxLength ?? 0) >= 100;
  return new Set(['reason', ...Object.keys(prefill).filter((name) => !isText(name))]);
}

/** The mail that an action sends, when its fields are one. */
function mailOf(payload: unknown): { readonly subject: string; readonly body: string } | null {
  if (!isObject(payload)) return null;
  const { subject, body } = payload;
  return typeof subject === 'string' && typeof body === 'string' ? { subject, body } : null;
}

function receivers({ shows }: Task): readonly string[] {
  return Array.isArray(shows['To']) ? shows['To'].map(String) : [];
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
  const { busy, problem, on } = useSubmit();
  const [id] = useState(() => crypto.randomUUID());
  const hidden = useMemo(() => settledFields(action), [action]);
  const mail = mailOf(payload);
  const errors = new Map(
    (problem?.errors ?? []).map(({ pointer, detail }) => [pointer.replace(/^\/payload/, ''), detail]),
  );
  const needsReason = action.reasonRequired || (schema.required?.includes('reason') ?? false);

  async function submit(): Promise<void> {
    await post(`/v1/tasks/${encodeURIComponent(task.id)}/${encodeURIComponent(action.name)}`, {
      payload,
      id,
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    });
    say(`${action.label}: done.`);
    props.onDone();
  }

  return (
    <form class="inner-form" onSubmit={on(submit)}>
      <h4>{action.label}</h4>
      {problem !== null && <ProblemBox problem={problem} />}
      <SchemaFields schema={schema} value={payload} hidden={hidden} errors={errors} onChange={setPayload} />
      {mail !== null && <MailPreview path="/v1/mails/preview" body={mail} to={receivers(task)} />}
      <ReasonField id={`reason-${id}`} required={needsReason} value={reason} onChange={setReason} />
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
