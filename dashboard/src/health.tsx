/** What all onboardings stand on: our sign-in at Microsoft, the queues, the workers and the store. */
import { useState } from 'preact/hooks';
import { post } from './api.ts';
import { Icon } from './icons.tsx';
import { useLive } from './live.ts';
import { Age, Empty, Loading, ProblemBox, useNow } from './parts.tsx';
import { mayOperate, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { PausedQueue, Readiness, SignInLife } from './types.ts';
import { bothTimes, count, localTime, untilOf, visible } from './words.ts';

const EVERY_MS = 5_000;

export function HealthPage() {
  const paused = useLive<{ readonly data: readonly PausedQueue[] }>('/v1/queues/paused', EVERY_MS);
  const signIn = useLive<SignInLife>('/v1/sign-in', 30_000);
  const ready = useLive<Readiness>('/readyz?verbose', EVERY_MS);
  const problem = paused.problem ?? signIn.problem ?? ready.problem;
  return (
    <main id="main" class="page">
      <h1>Health</h1>
      {problem !== null && <ProblemBox problem={problem} />}
      <section class="card">
        <h2>Queues</h2>
        {paused.data === null && paused.problem === null && <Loading />}
        {paused.data?.data.length === 0 && (
          <Empty icon="check" title="All queues run">
            A queue stands still when what it talks to refuses everybody, such as a sign-in that ran out.
          </Empty>
        )}
        {paused.data?.data.map((queue) => (
          <Paused key={queue.queue} queue={queue} onDone={paused.refresh} />
        ))}
      </section>
      <section class="card">
        <h2>Our sign-in at Microsoft</h2>
        {signIn.data === null && signIn.problem === null && <Loading />}
        {signIn.data !== null && <SignInState life={signIn.data} />}
      </section>
      <section class="card">
        <h2>Workers and store</h2>
        {ready.data === null && ready.problem === null && <Loading />}
        {ready.data?.checks !== undefined && <Ground checks={ready.data.checks} />}
      </section>
    </main>
  );
}

function Paused({ queue, onDone }: { readonly queue: PausedQueue; onDone(): void }) {
  const [asked, setAsked] = useState(false);
  const [reason, setReason] = useState('');
  const { busy, problem, on } = useSubmit();
  const field = `resume-${queue.queue}`;

  async function resume(): Promise<void> {
    const why = reason.trim();
    await post(`/v1/queues/${encodeURIComponent(queue.queue)}/resume`, why === '' ? {} : { reason: why });
    say(`The queue ${queue.queue} goes on.`);
    onDone();
  }

  return (
    <div class="banner banner-bad banner-form">
      <Icon name="pause" />
      <div>
        <strong>{visible(queue.queue)} stands still</strong>
        <p>{visible(queue.reason)}</p>
        <p class="faint">
          <code>{visible(queue.code)}</code>, since{' '}
          <time dateTime={queue.at} title={bothTimes(queue.at)}>
            {localTime(queue.at)}
          </time>{' '}
          (<Age since={queue.at} after=" ago" />
          ). What belongs to it waits; nothing is lost.
        </p>
        {problem !== null && <ProblemBox problem={problem} />}
        {mayOperate() && !asked && (
          <button type="button" class="button" onClick={() => setAsked(true)}>
            Let it go on …
          </button>
        )}
        {asked && (
          <form class="inner-form" onSubmit={on(resume)}>
            <p>If the cause is still there, the first call finds it and the queue stops again.</p>
            <div class="field">
              <label for={field}>
                What was mended <span class="faint">optional, kept in the log</span>
              </label>
              <input
                id={field}
                type="text"
                maxLength={2_000}
                value={reason}
                onInput={(event) => setReason(event.currentTarget.value)}
              />
            </div>
            <div class="actions">
              <button type="submit" class="button-main" disabled={busy}>
                Resume {queue.queue}
              </button>
              <button type="button" class="button" onClick={() => setAsked(false)}>
                Back
              </button>
            </div>
          </form>
        )}
      </div>
    </div>
  );
}

function SignInState({ life }: { readonly life: SignInLife }) {
  const now = useNow();
  const { renewedAt, diesAt, alarm } = life;
  if (renewedAt === null || diesAt === null)
    return (
      <p>
        No worker has signed in yet, so nothing is known of its age. A worker does so when it starts, then
        daily.
      </p>
    );
  const dead = Date.parse(diesAt) <= now;
  return (
    <>
      {alarm && (
        <div class="banner banner-bad" role="alert">
          <Icon name="alert" />
          <div>
            <strong>
              {dead ? 'The sign-in has died of disuse.' : `The sign-in dies ${untilOf(diesAt, now)}.`}
            </strong>
            <p>
              An Admin Agent has to sign in anew with multi-factor authentication; then the queues go on by
              themselves.
            </p>
          </div>
        </div>
      )}
      <dl class="facts">
        <div>
          <dt>Last renewed</dt>
          <dd>
            {localTime(renewedAt)} <Age since={renewedAt} before="(" after=" ago)" />
          </dd>
        </div>
        <div>
          <dt>Dies of disuse</dt>
          <dd>
            {localTime(diesAt)}, unless it is used before <span class="faint">(a worker uses it daily)</span>
          </dd>
        </div>
      </dl>
    </>
  );
}

function Ground({ checks }: { readonly checks: NonNullable<Readiness['checks']> }) {
  const { store, workers } = checks;
  return (
    <dl class="facts">
      <div>
        <dt>Workers</dt>
        <dd>
          {workers.count === null
            ? 'not known'
            : workers.count === 0
              ? 'none runs'
              : `${count(workers.count, 'worker')} running`}
        </dd>
      </div>
      <div>
        <dt>Store</dt>
        <dd>
          {!store.ok
            ? 'does not answer'
            : store.durable === false
              ? 'answers, but loses what it was told when it stops'
              : 'answers, and keeps every write on disk'}
        </dd>
      </div>
      {store.warnings.length > 0 && (
        <div>
          <dt>Warnings</dt>
          <dd>
            <ul class="plain">
              {store.warnings.map((warning) => (
                <li key={warning}>{visible(warning)}</li>
              ))}
            </ul>
          </dd>
        </div>
      )}
    </dl>
  );
}
