import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asProblem, post, read } from './api.ts';
import { FindPath } from './find-path.tsx';
import { Icon } from './icons.tsx';
import { MailPreview } from './mail-preview.tsx';
import { Loading, ProblemBox } from './parts.tsx';
import { initialValue, isObject, SchemaFields } from './schema-form.tsx';
import { go, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { FoundPath, Instance, JsonSchema, Problem, Workflow } from './types.ts';

export function Start() {
  const [workflows, setWorkflows] = useState<readonly Workflow[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [found, setFound] = useState<FoundPath | null>(null);

  useEffect(() => {
    read<{ data: readonly Workflow[] }>('/v1/workflows')
      .then(({ data }) => setWorkflows(data?.data ?? []))
      .catch((error: unknown) => setProblem(asProblem(error)));
  }, []);

  const wanted = chosen ?? found?.path ?? null;
  const workflow = workflows?.find(({ name }) => name === wanted) ?? workflows?.[0];
  const routed = workflows?.some(({ name }) => name.startsWith('onboard-')) === true;
  return (
    <main id="main" class="page page-narrow">
      <a class="back" href="#/">
        <Icon name="back" /> Onboardings
      </a>
      <div class="page-head">
        <h1>Start an onboarding</h1>
        <a class="button" href="#/import">
          Many at once
        </a>
      </div>
      {problem !== null && <ProblemBox problem={problem} />}
      {workflows === null && problem === null && <Loading />}
      {workflows !== null && routed && (
        <FindPath
          workflows={workflows}
          found={found}
          onFound={(next) => {
            setFound(next);
            setChosen(null);
          }}
        />
      )}
      {workflows !== null && workflows.length > 1 && (
        <fieldset class="choices">
          <legend>Which path</legend>
          {workflows.map(({ name, title }) => (
            <label key={name} class="choice">
              <input
                type="radio"
                name="workflow"
                checked={name === workflow?.name}
                onChange={() => setChosen(name)}
              />
              <span>
                {title} {found?.path === name && <span class="chip chip-running">proposed</span>}
              </span>
            </label>
          ))}
          {found !== null && found.path !== null && workflow?.name !== found.path && (
            <p class="faint" role="status">
              You take another path than the one proposed. The proposal is kept with the onboarding.
            </p>
          )}
        </fieldset>
      )}
      {workflow !== undefined && (
        <StartForm key={`${workflow.name} ${found?.instanceId ?? ''}`} workflow={workflow} found={found} />
      )}
    </main>
  );
}

/** What Microsoft said about the customer goes into the form, where the form asks for it. */
function filledIn(schema: JsonSchema, found: FoundPath | null): unknown {
  const value = initialValue(schema) ?? {};
  const fields = schema.properties?.['customer']?.properties;
  if (found === null || fields === undefined || !isObject(value)) return value;
  const known = {
    name: found.tenantName,
    domain: found.domain,
    domainPrefix: (found.domain.split('.')[0] ?? '').replace(/[^a-z0-9-]/gi, '').slice(0, 27),
  };
  const given = Object.entries(known).filter(([name, said]) => name in fields && said !== null);
  const customer = isObject(value['customer']) ? value['customer'] : {};
  return { ...value, customer: { ...customer, ...Object.fromEntries(given) } };
}

function StartForm({ workflow, found }: { readonly workflow: Workflow; readonly found: FoundPath | null }) {
  const [input, setInput] = useState<unknown>(() => filledIn(workflow.input ?? {}, found));
  const { busy, problem, on } = useSubmit();
  // Kept until the start succeeds, so that pressing twice or a lost answer starts one instance.
  const key = useRef(crypto.randomUUID());
  const errors = useMemo(
    () =>
      new Map(
        (problem?.errors ?? []).map(({ pointer, detail }) => [pointer.replace(/^\/input(?=\/)/, ''), detail]),
      ),
    [problem],
  );

  async function submit(): Promise<void> {
    const started = await post<Instance>(
      '/v1/instances',
      {
        workflow: workflow.name,
        input,
        ...(found === null ? {} : { labels: { 'proposed-path': found.path ?? 'unknown' } }),
      },
      { 'Idempotency-Key': key.current },
    );
    say(`Started for ${started.subject ?? started.id}.`);
    go(`/instances/${started.id}`);
  }

  function refused({ status }: Problem): void {
    // A refused start did nothing; another try is another intent.
    if (status >= 400 && status < 500) key.current = crypto.randomUUID();
    window.scrollTo(0, 0);
  }

  return (
    <form class="card form" onSubmit={on(submit, refused)}>
      <h2>{workflow.title}</h2>
      {problem !== null && <ProblemBox problem={problem} />}
      {workflow.input !== null && (
        <SchemaFields
          schema={withoutOwnWords(workflow.input)}
          value={input}
          errors={errors}
          onChange={setInput}
        />
      )}
      {workflow.input?.properties?.['invitation'] !== undefined && (
        <Invitation workflow={workflow} input={input} onChange={setInput} />
      )}
      <div class="actions">
        <button class="button-main" type="submit" disabled={busy}>
          {busy ? 'Starting …' : 'Start'}
        </button>
        <a class="button" href="#/">
          Leave
        </a>
      </div>
    </form>
  );
}

/** The words of the mail are edited beside its preview. */
function withoutOwnWords(schema: JsonSchema): JsonSchema {
  const invitation = schema.properties?.['invitation'];
  if (invitation === undefined) return schema;
  const { text: _, ...properties } = invitation.properties ?? {};
  return { ...schema, properties: { ...schema.properties, invitation: { ...invitation, properties } } };
}

const objectAt = (value: unknown, name: string): Record<string, unknown> =>
  isObject(value) && isObject(value[name]) ? value[name] : {};
const textAt = (value: unknown, name: string): string =>
  isObject(value) && typeof value[name] === 'string' ? value[name] : '';

/** The mail this start would send, with words of its own where somebody wants them. */
function Invitation(props: {
  readonly workflow: Workflow;
  readonly input: unknown;
  onChange(input: unknown): void;
}) {
  const { workflow, input, onChange } = props;
  const invitation = objectAt(input, 'invitation');
  const partner = objectAt(input, 'partner');
  const customerName = textAt(objectAt(input, 'customer'), 'name');
  const text = invitation['text'] ?? partner['invitationText'] ?? null;
  const schema = workflow.input?.properties?.['invitation']?.properties?.['text'];
  const template = initialValue(schema?.anyOf?.find(({ type }) => type === 'object') ?? {});
  const change = (own: unknown) =>
    onChange({ ...(isObject(input) ? input : {}), invitation: { ...invitation, text: own } });
  const to = Array.isArray(invitation['to']) ? invitation['to'].map(String) : [];
  return (
    <fieldset>
      <legend>The mail the customer gets</legend>
      {customerName === '' || textAt(partner, 'name') === '' ? (
        <p class="faint">Fill in the customer’s name and ours to see it.</p>
      ) : (
        <MailPreview
          path="/v1/invitations/preview"
          body={{ path: workflow.name, customerName, partnerName: partner['name'], text }}
          to={to}
        />
      )}
      <div class="actions">
        {invitation['text'] == null ? (
          <button type="button" class="button" onClick={() => change(partner['invitationText'] ?? template)}>
            Write it in other words
          </button>
        ) : (
          <button type="button" class="button" onClick={() => change(null)}>
            Back to our usual words
          </button>
        )}
      </div>
      {isObject(invitation['text']) && schema !== undefined && (
        <OwnWords words={invitation['text']} onChange={change} />
      )}
    </fieldset>
  );
}

function OwnWords({
  words,
  onChange,
}: {
  readonly words: Readonly<Record<string, unknown>>;
  onChange(words: unknown): void;
}) {
  return (
    <div class="fields">
      <div class="field">
        <label for="own-subject">Subject of this mail</label>
        <input
          id="own-subject"
          type="text"
          required
          maxLength={150}
          value={textAt(words, 'subject')}
          onInput={(event) => onChange({ ...words, subject: event.currentTarget.value })}
        />
      </div>
      <div class="field">
        <label for="own-body">Text of this mail</label>
        <textarea
          id="own-body"
          rows={9}
          required
          maxLength={10_000}
          aria-describedby="own-help"
          value={textAt(words, 'body')}
          onInput={(event) => onChange({ ...words, body: event.currentTarget.value })}
        />
        <p class="help" id="own-help">
          {'{customer}'} and {'{partner}'} become the names; {'{steps}'} becomes the steps with the links and
          must stay.
        </p>
      </div>
    </div>
  );
}
