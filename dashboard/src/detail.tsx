import { useId, useState } from 'preact/hooks';
import { Chart } from './chart.tsx';
import { Icon } from './icons.tsx';
import { Interventions } from './interventions.tsx';
import { ListRows, rowsOf } from './list-rows.tsx';
import { useLive } from './live.ts';
import { everyInstance, Operations } from './operations.tsx';
import { Age, Loading, Moment, ProblemBox, StatusChip, useNow, Value } from './parts.tsx';
import { waitingOn, whoWords } from './status.ts';
import { TaskCard } from './task-card.tsx';
import { Timeline } from './timeline.tsx';
import type { Activity, Instance } from './types.ts';
import { bothTimes, untilOf, visible } from './words.ts';

export function Detail({ id }: { readonly id: string }) {
  const { data, problem, refresh } = useLive<Instance>(`/v1/instances/${id}?tree=true`);
  return (
    <main id="main" class="page">
      <a class="back" href="#/">
        <Icon name="back" /> Onboardings
      </a>
      {problem !== null && <ProblemBox problem={problem} />}
      {data === null && problem === null && <Loading />}
      {data !== null && <Shown instance={data} refresh={refresh} />}
    </main>
  );
}

function Shown({ instance, refresh }: { readonly instance: Instance; refresh(): void }) {
  const all = everyInstance(instance);
  const tasks = all.flatMap((one) => one.tasks);
  const mark = all.map(({ id, revision }) => `${id}:${revision}`).join(' ');
  const closed = !['running', 'paused'].includes(instance.status);
  const rows = rowsOf(instance);
  return (
    <>
      <Head instance={instance} />
      <div class="columns">
        <div class="column-tasks">
          {instance.rewound !== null && (
            <div class="banner banner-warn" role="status">
              <Icon name="alert" />
              <div>
                <strong>The store was set back: this onboarding may have been further.</strong>
                <p>
                  What happened here between <Moment at={instance.rewound.since} /> and{' '}
                  <Moment at={instance.rewound.at} /> may be forgotten. Nothing is ordered twice: what was
                  done at Microsoft is looked up before it is done again. Answers and approvals of that time
                  may have to be given anew.
                </p>
              </div>
            </div>
          )}
          {all
            .filter(({ attention }) => attention !== null)
            .map(({ id, attention, title }) => (
              <div key={id} class="banner banner-bad" role="alert">
                <Icon name="alert" />
                <div>
                  <strong>Needs a person: {visible(attention?.message ?? '')}</strong>
                  <p class="faint">
                    {attention?.code} in {visible(title)}
                  </p>
                </div>
              </div>
            ))}
          {tasks.length > 0 && <h2>Open tasks</h2>}
          {tasks.map((task) => (
            <TaskCard key={task.id} task={task} onDone={refresh} />
          ))}
        </div>
        <div class="column-main">
          {rows !== null && <ListRows instance={instance} rows={rows} />}
          {closed && rows === null && instance.output !== null && (
            <section class="card">
              <h2>Result</h2>
              <Value value={instance.output} />
            </section>
          )}
          {closed && instance.error !== null && (
            <section class="card">
              <h2>Error</h2>
              <Value value={instance.error} />
            </section>
          )}
          <Charts all={all} onDone={refresh} />
          <section class="card">
            <h2>What happened</h2>
            <Timeline id={instance.id} title={instance.title} mark={mark} tree={rows === null} />
          </section>
        </div>
        <aside class="column-side">
          <section class="card">
            <h2>Now</h2>
            <Now all={all} closed={closed} />
            {closed && (
              <a
                class="button"
                href={`/v1/instances/${instance.id}/report?format=html`}
                target="_blank"
                rel="noopener"
              >
                <Icon name="report" /> Closing report, to print
              </a>
            )}
            <Operations instance={instance} onDone={refresh} />
          </section>
          <section class="card">
            <h2>Facts</h2>
            <dl class="facts">
              <div>
                <dt>Started</dt>
                <dd>
                  <Moment at={instance.createdAt} />
                </dd>
              </div>
              <div>
                <dt>Last change</dt>
                <dd>
                  <Age since={instance.updatedAt} after=" ago" />
                </dd>
              </div>
              <div>
                <dt>Instance</dt>
                <dd>
                  <code class="id">{instance.id}</code>
                </dd>
              </div>
            </dl>
          </section>
        </aside>
      </div>
    </>
  );
}

/** One statechart at a time, of the onboarding itself or of a stretch of it; read only when wanted. */
function Charts({ all, onDone }: { readonly all: readonly Instance[]; onDone(): void }) {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = all.find(({ id }) => id === chosen) ?? all[0];
  const field = useId();
  return (
    <details class="card charts" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Statechart and interventions</summary>
      {open && shown !== undefined && (
        <>
          {all.length > 1 && (
            <div class="field">
              <label for={field}>Of</label>
              <select id={field} value={shown.id} onChange={(event) => setChosen(event.currentTarget.value)}>
                {all.map(({ id, title, sentence }) => (
                  <option key={id} value={id}>
                    {visible(`${title}: ${sentence}`)}
                  </option>
                ))}
              </select>
            </div>
          )}
          <Interventions key={shown.id} instance={shown} onDone={onDone} />
          <Chart instance={shown} />
        </>
      )}
    </details>
  );
}

function Head({ instance }: { readonly instance: Instance }) {
  const who = waitingOn(instance);
  const open = instance.status === 'running' || instance.status === 'paused';
  const inner = instance.innermost;
  return (
    <header class="detail-head">
      <p class="faint">{visible(instance.title)}</p>
      <h1>{visible(instance.subject ?? instance.id)}</h1>
      <p class="sentence" role="status">
        {visible(inner?.sentence ?? instance.sentence)}
      </p>
      {inner !== null && inner.sentence !== instance.sentence && (
        <p class="faint">Within: {visible(instance.sentence)}</p>
      )}
      <p class="detail-status">
        <StatusChip of={instance} />
        {open && who !== null && <span>waiting on {whoWords(who)}</span>}
        <span class="faint">
          <Age since={instance.stateSince} before="in this state for " />
        </span>
      </p>
    </header>
  );
}

function Now({ all, closed }: { readonly all: readonly Instance[]; readonly closed: boolean }) {
  const now = useNow();
  const activities = all.flatMap((one) => one.activities);
  const [timer] = all.flatMap((one) => one.timers).toSorted((a, b) => a.fireAt.localeCompare(b.fireAt));
  if (closed) return <p>This onboarding is closed.</p>;
  return (
    <ul class="plain now">
      {activities.map((activity) => (
        <ActivityLine key={activity.token} activity={activity} />
      ))}
      {timer !== undefined && (
        <li>
          <Icon name="timer" />
          <span>
            Next deadline{' '}
            <time dateTime={timer.fireAt} title={bothTimes(timer.fireAt)}>
              {untilOf(timer.fireAt, now)}
            </time>
          </span>
        </li>
      )}
      {activities.length === 0 && timer === undefined && <li>Nothing runs; it waits to be told.</li>}
    </ul>
  );
}

const PHASES: Readonly<Record<Activity['phase'], string>> = {
  open: 'under way',
  'waiting-retry': 'waits for the next try',
  attention: 'gave up and needs a person',
  held: 'held while paused',
};

function ActivityLine({ activity }: { readonly activity: Activity }) {
  const { description, phase, attempt, maxAttempts, lastFailure } = activity;
  return (
    <li>
      <Icon name={phase === 'attention' ? 'alert' : 'gear'} />
      <span>
        {visible(description)}: {PHASES[phase]}
        {(attempt > 1 || lastFailure !== null) && (
          <span class="faint">
            {' '}
            attempt {attempt}
            {maxAttempts === null ? '' : ` of ${maxAttempts}`}
            {lastFailure !== null && <>, because: {visible(lastFailure.message)}</>}
          </span>
        )}
      </span>
    </li>
  );
}
