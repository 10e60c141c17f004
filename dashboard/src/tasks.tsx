/** Everything that needs a person, over all onboardings: what gave up first, then the tasks by the time they are due. */
import { useState } from 'preact/hooks';
import { readAll } from './api.ts';
import { Icon } from './icons.tsx';
import { type Live, useLive } from './live.ts';
import { Confirm, OPERATIONS } from './operations.tsx';
import { Age, Due, Empty, Loading, ProblemBox, useNow } from './parts.tsx';
import { mayOperate, place } from './store.ts';
import { TaskBody } from './task-card.tsx';
import type { Page, Summary, Task } from './types.ts';
import { count, visible } from './words.ts';

const VIEWS = [
  { name: 'All', query: '' },
  { name: 'Overdue', query: 'overdue=true' },
  { name: 'For operators', query: 'for=operator' },
  { name: 'For approvers', query: 'for=approver' },
  { name: 'For engineers', query: 'for=engineer' },
  { name: 'For customers', query: 'for=customer' },
] as const;

const EVERY_MS = 4_000;

type Item =
  | { readonly kind: 'attention'; readonly id: string; readonly summary: Summary; readonly subject: string }
  | { readonly kind: 'task'; readonly id: string; readonly task: Task; readonly subject: string };

/** What gave up waits for somebody now; what has no date comes last, oldest first. */
function dueOf(item: Item): string {
  if (item.kind === 'attention') return '';
  return item.task.dueAt ?? `z${item.task.since}`;
}

function itemsOf(tasks: readonly Task[], stuck: readonly Summary[]): readonly Item[] {
  const names = new Map(tasks.map(({ rootId, subject }) => [rootId, subject]));
  const items: Item[] = [
    ...stuck.map((summary): Item => {
      const subject = summary.subject ?? names.get(summary.rootId) ?? summary.title;
      return { kind: 'attention', id: `!${summary.id}`, summary, subject };
    }),
    ...tasks.map(
      (task): Item => ({ kind: 'task', id: task.id, task, subject: task.subject ?? task.instanceId }),
    ),
  ];
  return items.toSorted((a, b) => dueOf(a).localeCompare(dueOf(b)));
}

const isOverdue = (item: Item, now: number): boolean =>
  item.kind === 'attention' || (item.task.dueAt !== null && Date.parse(item.task.dueAt) <= now);

export function Tasks() {
  const tasks = useLive<Page<Task>>('/v1/tasks?limit=200', EVERY_MS, readAll);
  const stuck = useLive<Page<Summary>>(
    '/v1/instances?attention=true&children=true&limit=200',
    EVERY_MS,
    readAll,
  );
  const now = useNow();
  const current = place.value.query.toString();
  const [words, setWords] = useState('');
  const problem = tasks.problem ?? stuck.problem;
  const loaded = tasks.data !== null && stuck.data !== null;
  const all = itemsOf(tasks.data?.data ?? [], stuck.data?.data ?? []);
  const shown = all.filter((item) => isWanted(item, place.value.query, words, now));
  const overdue = all.filter((item) => isOverdue(item, now)).length;
  return (
    <main id="main" class="page">
      <div class="page-head">
        <h1>Tasks</h1>
        {loaded && (
          <span class="faint" role="status">
            {count(all.length, 'item')}, {overdue} overdue or stuck
          </span>
        )}
      </div>
      <nav class="tabs" aria-label="Views">
        {VIEWS.map(({ name, query }) => (
          <a
            key={name}
            href={query === '' ? '#/tasks' : `#/tasks?${query}`}
            aria-current={query === current ? 'page' : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      {problem !== null && <ProblemBox problem={problem} />}
      {!loaded && problem === null && <Loading />}
      {loaded && all.length > 0 && (
        <div class="field find">
          <label for="find">Find by customer or task</label>
          <input
            id="find"
            type="search"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </div>
      )}
      {loaded && shown.length === 0 && (
        <Empty icon="check" title={all.length === 0 ? 'Nobody has to do anything' : 'Nothing here'}>
          {all.length === 0
            ? 'No task is open and nothing is stuck. What comes up shows here by itself.'
            : 'No open task fits this view.'}
        </Empty>
      )}
      {loaded && (
        <ul class="plain work">
          {shown.map((item) => (
            <WorkItem key={item.id} item={item} overdue={isOverdue(item, now)} live={[tasks, stuck]} />
          ))}
        </ul>
      )}
      {tasks.data?.nextCursor != null && (
        <p class="faint">
          There are more tasks than this page reads: these are those of the newest onboardings.
        </p>
      )}
    </main>
  );
}

function isWanted(item: Item, query: URLSearchParams, words: string, now: number): boolean {
  const who = query.get('for');
  if (query.get('overdue') === 'true' && !isOverdue(item, now)) return false;
  // What gave up is an operator's to look at.
  if (who !== null && who !== (item.kind === 'task' ? item.task.responsible : 'operator')) return false;
  const title = item.kind === 'task' ? item.task.title : (item.summary.attention?.message ?? '');
  return `${item.subject} ${title}`.toLowerCase().includes(words.trim().toLowerCase());
}

function WorkItem(props: {
  readonly item: Item;
  readonly overdue: boolean;
  readonly live: readonly Live<unknown>[];
}) {
  const { item, overdue } = props;
  const [open, setOpen] = useState(false);
  const refresh = () => {
    for (const one of props.live) one.refresh();
  };
  const root = item.kind === 'task' ? item.task.rootId : item.summary.rootId;
  return (
    <li class={overdue ? 'card work-item work-overdue' : 'card work-item'}>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="work-title">
            {item.kind === 'attention' && <Icon name="alert" />}
            {visible(
              item.kind === 'task' ? item.task.title : `Stuck: ${item.summary.attention?.message ?? ''}`,
            )}
          </span>
          <span class="work-who">{visible(item.subject)}</span>
          <span class="work-due">
            {item.kind === 'task' ? (
              <>
                {item.task.dueAt === null ? <span class="faint">no date</span> : <Due at={item.task.dueAt} />}
                <span class="faint"> {item.task.responsible}</span>
              </>
            ) : (
              <span class="due-over">
                needs a person,{' '}
                <Age since={item.summary.attention?.at ?? item.summary.updatedAt} before="for " />
              </span>
            )}
          </span>
        </summary>
        {open && (
          <div class="work-body">
            {item.kind === 'task' ? (
              <TaskBody task={item.task} onDone={refresh} />
            ) : (
              <StuckBody summary={item.summary} onDone={refresh} />
            )}
            <p>
              <a href={`#/instances/${root}`}>The whole onboarding of {visible(item.subject)}</a>
            </p>
          </div>
        )}
      </details>
    </li>
  );
}

function StuckBody({ summary, onDone }: { readonly summary: Summary; onDone(): void }) {
  const [asked, setAsked] = useState(false);
  return (
    <>
      <p>
        {visible(summary.sentence)} <span class="faint">({visible(summary.title)})</span>
      </p>
      <p class="faint">
        <code>{summary.attention?.code}</code>
      </p>
      {!mayOperate() && <p class="faint">Your role cannot try it again.</p>}
      {mayOperate() && !asked && (
        <div class="actions">
          <button type="button" class="button-main" onClick={() => setAsked(true)}>
            Try again now
          </button>
        </div>
      )}
      {asked && (
        <Confirm
          operation={OPERATIONS.retry}
          targets={[summary.id]}
          onLeave={() => setAsked(false)}
          onDone={() => {
            setAsked(false);
            onDone();
          }}
        />
      )}
    </>
  );
}
