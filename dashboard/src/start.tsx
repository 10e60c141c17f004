import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asProblem, post, read } from './api.ts';
import { Icon } from './icons.tsx';
import { Loading, ProblemBox } from './parts.tsx';
import { initialValue, SchemaFields } from './schema-form.tsx';
import { go, say } from './store.ts';
import type { Instance, Problem, Workflow } from './types.ts';

export function Start() {
  const [workflows, setWorkflows] = useState<readonly Workflow[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);

  useEffect(() => {
    read<{ data: readonly Workflow[] }>('/v1/workflows')
      .then(({ data }) => setWorkflows(data?.data ?? []))
      .catch((error: unknown) => setProblem(asProblem(error)));
  }, []);

  const workflow = workflows?.find(({ name }) => name === chosen) ?? workflows?.[0];
  return (
    <main id="main" class="page page-narrow">
      <a class="back" href="#/">
        <Icon name="back" /> Onboardings
      </a>
      <h1>Start an onboarding</h1>
      {problem !== null && <ProblemBox problem={problem} />}
      {workflows === null && problem === null && <Loading />}
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
              {title}
            </label>
          ))}
        </fieldset>
      )}
      {workflow !== undefined && <StartForm key={workflow.name} workflow={workflow} />}
    </main>
  );
}

function StartForm({ workflow }: { readonly workflow: Workflow }) {
  const [input, setInput] = useState<unknown>(() => initialValue(workflow.input ?? {}) ?? {});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
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
    setBusy(true);
    setProblem(null);
    try {
      const started = await post<Instance>(
        '/v1/instances',
        { workflow: workflow.name, input },
        { 'Idempotency-Key': key.current },
      );
      say(`Started for ${started.subject ?? started.id}.`);
      go(`/instances/${started.id}`);
    } catch (error) {
      const failed = asProblem(error);
      // A refused start did nothing; another try is another intent.
      if (failed.status >= 400 && failed.status < 500) key.current = crypto.randomUUID();
      setProblem(failed);
      window.scrollTo(0, 0);
    }
    setBusy(false);
  }

  return (
    <form
      class="card form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2>{workflow.title}</h2>
      {problem !== null && <ProblemBox problem={problem} />}
      {workflow.input !== null && (
        <SchemaFields schema={workflow.input} value={input} errors={errors} onChange={setInput} />
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
