/** Many customers at once: a CSV list is tried dry, its mistakes are told by line and column, and only then it starts. */
import { useState } from 'preact/hooks';
import { postList } from './api.ts';
import { Icon } from './icons.tsx';
import { ProblemBox } from './parts.tsx';
import { go, mayOperate, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { Import } from './types.ts';
import { count, humanise, visible } from './words.ts';

interface Chosen {
  readonly name: string;
  readonly text: string;
}

export function ImportPage() {
  const [file, setFile] = useState<Chosen | null>(null);
  const [title, setTitle] = useState('');
  const [checked, setChecked] = useState<Import | null>(null);
  const { busy, problem, run } = useSubmit();

  function send(list: Chosen, dryRun: boolean): Promise<Import> {
    const query = new URLSearchParams({
      dryRun: String(dryRun),
      ...(title.trim() === '' ? {} : { title: title.trim() }),
    });
    return postList<Import>(`/v1/imports?${query}`, list.text);
  }

  async function choose(input: HTMLInputElement): Promise<void> {
    const [picked] = input.files ?? [];
    setChecked(null);
    setFile(null);
    if (picked === undefined) return;
    const list = { name: picked.name, text: await picked.text() };
    setFile(list);
    if (title === '') setTitle(picked.name.replace(/\.csv$/i, '').slice(0, 200));
    await run(async () => setChecked(await send(list, true)));
  }

  async function start(): Promise<void> {
    if (file === null) return;
    const started = await send(file, false);
    if (started.instanceId === null) {
      setChecked(started);
      return;
    }
    say('The list is started.');
    go(`/instances/${started.instanceId}`);
  }

  return (
    <main id="main" class="page">
      <a class="back" href="#/start">
        <Icon name="back" /> Start an onboarding
      </a>
      <h1>Take many customers on</h1>
      {!mayOperate() && <p>Somebody with the role operator can start a list.</p>}
      {mayOperate() && (
        <section class="card">
          <p>
            A CSV list with one customer a line, the first line naming the columns. Choosing it only checks
            it: nothing starts before you say so.
          </p>
          <div class="fields">
            <div class="field">
              <label for="list-file">CSV list</label>
              <input
                id="list-file"
                type="file"
                accept=".csv,text/csv"
                onChange={(event) => void choose(event.currentTarget)}
              />
              <p class="help">At most 500 customers. To check a changed file, choose it again.</p>
            </div>
            <div class="field">
              <label for="list-title">What staff call this list</label>
              <input
                id="list-title"
                type="text"
                maxLength={200}
                placeholder="Customer list"
                value={title}
                onInput={(event) => setTitle(event.currentTarget.value)}
              />
            </div>
          </div>
        </section>
      )}
      {busy && (
        <p class="loading" role="status">
          {checked === null ? 'Checking the list …' : 'Starting …'}
        </p>
      )}
      {problem !== null && <ProblemBox problem={problem} />}
      {checked !== null && file !== null && (
        <Checked file={file} checked={checked} busy={busy} onStart={() => void run(start)} />
      )}
    </main>
  );
}

function Checked(props: {
  readonly file: Chosen;
  readonly checked: Import;
  readonly busy: boolean;
  onStart(): void;
}) {
  const { checked, file } = props;
  const fresh = checked.rows.filter(({ underWay }) => underWay === null).length;
  const wrong = checked.problems.length;
  return (
    <>
      {wrong > 0 && (
        <section class="card" role="alert">
          <h2>
            {count(wrong, 'mistake')} in {visible(file.name)}; nothing can start
          </h2>
          <p>Mend them in the file, save it as CSV UTF-8 and choose it again.</p>
          <div class="scroll">
            <table class="small">
              <thead>
                <tr>
                  <th scope="col">Line</th>
                  <th scope="col">Column</th>
                  <th scope="col">What is wrong</th>
                </tr>
              </thead>
              <tbody>
                {checked.problems.map(({ line, field, detail }, index) => (
                  <tr key={index}>
                    <td>{line}</td>
                    <td>{field === null ? 'the line' : <code>{visible(field)}</code>}</td>
                    <td>{visible(detail)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {checked.rows.length > 0 && (
        <section class="card">
          <h2>
            {count(checked.rows.length, 'customer')} in {visible(file.name)}
            {fresh < checked.rows.length && `, ${checked.rows.length - fresh} under way already`}
          </h2>
          <Rows checked={checked} />
          {wrong === 0 && (
            <div class="actions">
              <button
                type="button"
                class="button-main"
                disabled={props.busy || fresh === 0}
                onClick={props.onStart}
              >
                {fresh === 0 ? 'All are under way already' : `Start ${count(fresh, 'onboarding')}`}
              </button>
            </div>
          )}
        </section>
      )}
    </>
  );
}

function Rows({ checked }: { readonly checked: Import }) {
  const wrong = new Set(checked.problems.map(({ line }) => line));
  return (
    <div class="scroll">
      <table class="small">
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Customer</th>
            <th scope="col">Path</th>
            <th scope="col">Then</th>
          </tr>
        </thead>
        <tbody>
          {checked.rows.map(({ line, company, path, underWay }) => (
            <tr key={line}>
              <td>{line}</td>
              <td>{visible(company)}</td>
              <td>{path === null ? 'found out from the domain' : humanise(path)}</td>
              <td>
                {underWay !== null ? (
                  <a href={`#/instances/${underWay}`}>under way already</a>
                ) : wrong.has(line) ? (
                  <span class="field-error">has mistakes</span>
                ) : (
                  'starts'
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
