/** Which path a customer takes: asked by domain, answered by Microsoft through a worker. A proposal only. */
import { useEffect, useState } from 'preact/hooks';
import { post } from './api.ts';
import { Icon } from './icons.tsx';
import { useLive } from './live.ts';
import { ProblemBox } from './parts.tsx';
import { useSubmit } from './submit.ts';
import type { FoundPath, Instance, Workflow } from './types.ts';
import { visible } from './words.ts';

export function FindPath(props: {
  readonly workflows: readonly Workflow[];
  readonly found: FoundPath | null;
  onFound(found: FoundPath | null): void;
}) {
  const { found, onFound } = props;
  const [domain, setDomain] = useState('');
  const [open, setOpen] = useState<FoundPath | null>(null);
  const { busy, problem, on } = useSubmit();

  async function ask(): Promise<void> {
    setOpen(null);
    onFound(null);
    const answer = await post<FoundPath>('/v1/paths', { domain: domain.trim() });
    if (answer.path === null && answer.tenantId === null) setOpen(answer);
    else onFound(answer);
  }

  return (
    <section class="card">
      <h2>Which customer?</h2>
      <form class="inline-form" onSubmit={on(ask)}>
        <div class="field">
          <label for="domain">Domain of the customer</label>
          <input
            id="domain"
            type="text"
            inputMode="url"
            autocomplete="off"
            spellcheck={false}
            required
            maxLength={253}
            placeholder="contoso.com"
            value={domain}
            onInput={(event) => setDomain(event.currentTarget.value)}
          />
        </div>
        <button class={found === null ? 'button-main' : 'button'} type="submit" disabled={busy}>
          {busy ? 'Asking Microsoft …' : 'Find the path'}
        </button>
      </form>
      {problem !== null && <ProblemBox problem={problem} />}
      {open !== null && <StillAsking asked={open} onFound={onFound} />}
      {found !== null && <Found found={found} workflows={props.workflows} />}
      {found === null && open === null && problem === null && (
        <p class="faint">
          Microsoft says which tenant it is and whether it is a customer of ours. Or choose a path yourself.
        </p>
      )}
    </section>
  );
}

/** The instance that asks goes on asking: its output is the answer. */
function StillAsking({ asked, onFound }: { readonly asked: FoundPath; onFound(found: FoundPath): void }) {
  const { data } = useLive<Instance>(`/v1/instances/${asked.instanceId}`);
  const done = data?.status === 'completed' ? data : null;
  useEffect(() => {
    if (done === null) return;
    const answer = { ...asked, ...(done.output as Omit<FoundPath, 'instanceId'>) };
    if (answer.path !== null) onFound(answer);
  }, [done]);
  const why = done === null ? asked.why : (done.output as FoundPath).why;
  return (
    <div class="banner" role="status">
      <Icon name={done === null ? 'clock' : 'alert'} />
      <div>
        <strong>{done === null ? 'Asking …' : 'The path is not known'}</strong>
        <p>{visible(why)} You may choose a path yourself.</p>
      </div>
    </div>
  );
}

function Found({ found, workflows }: { readonly found: FoundPath; readonly workflows: readonly Workflow[] }) {
  const title = workflows.find(({ name }) => name === found.path)?.title ?? found.path;
  return (
    <div class="banner banner-good" role="status">
      <Icon name={found.path === null ? 'alert' : 'check'} />
      <div>
        <strong>{title === null ? 'The path is not known' : `Proposed: ${title}`}</strong>
        <p>{visible(found.why)}</p>
        <dl class="facts facts-inner">
          <div>
            <dt>Domain</dt>
            <dd>{visible(found.domain)}</dd>
          </div>
          {found.tenantId !== null && (
            <div>
              <dt>Tenant</dt>
              <dd>
                {found.tenantName !== null && <>{visible(found.tenantName)} </>}
                <code class="id">{found.tenantId}</code>
              </dd>
            </div>
          )}
          {found.tenantId === null && (
            <div>
              <dt>Tenant</dt>
              <dd>none has this domain</dd>
            </div>
          )}
        </dl>
      </div>
    </div>
  );
}
