import { useEffect, useState } from 'preact/hooks';
import { asProblem, read } from './api.ts';
import { Icon, type IconName } from './icons.tsx';
import { Loading, ProblemBox } from './parts.tsx';
import { useSubmit } from './submit.ts';
import type { HistoryLine, Page, Problem } from './types.ts';
import { bothTimes, clockTime, dayOf, visible } from './words.ts';

function iconOf(kind: string): IconName {
  if (kind === 'start') return 'play';
  if (kind === 'signal' || kind.endsWith('.message')) return 'letter';
  if (kind === 'timer.fired') return 'timer';
  if (kind === 'activity.done' || kind === 'child.done') return 'check';
  if (kind.endsWith('.failed') || kind === 'activity.lost') return 'alert';
  return kind.startsWith('activity') ? 'gear' : 'person';
}

interface Told {
  /** Newest first. */
  readonly lines: readonly HistoryLine[];
  /** Where earlier ones go on; null at the beginning. */
  readonly cursor: string | null;
}

const keyOf = ({ instanceId, revision }: HistoryLine): string => `${instanceId}-${revision}`;

/** What is new before what is shown; the newest page alone where it does not reach what is shown. */
function withNewest(shown: Told | null, newest: Page<HistoryLine>): Told {
  const fresh: Told = { lines: newest.data, cursor: newest.nextCursor };
  if (shown === null) return fresh;
  const known = new Set(shown.lines.map(keyOf));
  const added = newest.data.filter((line) => !known.has(keyOf(line)));
  return added.length === newest.data.length ? fresh : { ...shown, lines: [...added, ...shown.lines] };
}

/** Read anew whenever `mark` changes. Newest first, by day; `tree` tells of the instances below it too. */
export function Timeline({
  id,
  title,
  mark,
  tree,
}: {
  readonly id: string;
  readonly title: string;
  readonly mark: string;
  readonly tree: boolean;
}) {
  const path = `/v1/instances/${id}/history?tree=${tree}&order=desc`;
  const [told, setTold] = useState<Told | null>(null);
  const [unread, setUnread] = useState<Problem | null>(null);
  const { busy, problem, run } = useSubmit();

  // The mark is not read, it says that there is something new to read.
  useEffect(() => {
    let current = true;
    read<Page<HistoryLine>>(path)
      .then(({ data }) => {
        if (!current || data === undefined) return;
        setTold((shown) => withNewest(shown, data));
        setUnread(null);
      })
      .catch((error: unknown) => current && setUnread(asProblem(error)));
    return () => {
      current = false;
    };
  }, [path, mark]);

  async function showEarlier(cursor: string): Promise<void> {
    const { data } = await read<Page<HistoryLine>>(`${path}&limit=500&cursor=${encodeURIComponent(cursor)}`);
    // A refresh may have begun anew meanwhile: then what was asked for does not follow.
    setTold((shown) =>
      data === undefined || shown?.cursor !== cursor
        ? shown
        : { lines: [...shown.lines, ...data.data], cursor: data.nextCursor },
    );
  }

  if (told === null) return unread === null ? <Loading /> : <ProblemBox problem={unread} />;
  const days = Map.groupBy(told.lines, ({ at }) => dayOf(at));
  return (
    <>
      {unread !== null && <ProblemBox problem={unread} />}
      {[...days].map(([day, entries]) => (
        <section key={day} class="day">
          <h4>{day}</h4>
          <ol class="timeline">
            {entries.map((line) => (
              <li key={keyOf(line)} class={`entry entry-${iconOf(line.kind)}`}>
                <span class="entry-mark">
                  <Icon name={iconOf(line.kind)} />
                </span>
                <div>
                  <p>{visible(line.words)}</p>
                  {line.reason !== null && <p class="quote">{visible(line.reason)}</p>}
                  <p class="faint">
                    <time dateTime={line.at} title={bothTimes(line.at)}>
                      {clockTime(line.at)}
                    </time>
                    {line.workflow !== title && <> · {visible(line.workflow)}</>}
                    {line.by !== null && <> · by {visible(line.by.id)}</>}
                  </p>
                </div>
              </li>
            ))}
          </ol>
        </section>
      ))}
      {problem !== null && <ProblemBox problem={problem} />}
      {told.cursor !== null && (
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => void run(() => showEarlier(told.cursor ?? ''))}
        >
          {busy ? 'Reading' : 'Show what happened earlier'}
        </button>
      )}
    </>
  );
}
