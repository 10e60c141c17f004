import { useEffect, useState } from 'preact/hooks';
import { asProblem, read } from './api.ts';
import { Icon, type IconName } from './icons.tsx';
import { Loading, ProblemBox } from './parts.tsx';
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

/** Read anew whenever `mark` changes. Newest first, by day. */
export function Timeline({
  id,
  title,
  mark,
}: {
  readonly id: string;
  readonly title: string;
  readonly mark: string;
}) {
  const [lines, setLines] = useState<readonly HistoryLine[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  // The mark is not read, it says that there is something new to read.
  useEffect(() => {
    let current = true;
    read<Page<HistoryLine>>(`/v1/instances/${id}/history?tree=true`)
      .then(({ data }) => {
        if (!current) return;
        setLines(data?.data ?? []);
        setProblem(null);
      })
      .catch((error: unknown) => current && setProblem(asProblem(error)));
    return () => {
      current = false;
    };
  }, [id, mark]);

  if (lines === null) return problem === null ? <Loading /> : <ProblemBox problem={problem} />;
  const days = Map.groupBy(lines.toReversed(), ({ at }) => dayOf(at));
  return (
    <>
      {problem !== null && <ProblemBox problem={problem} />}
      {[...days].map(([day, entries]) => (
        <section key={day} class="day">
          <h4>{day}</h4>
          <ol class="timeline">
            {entries.map((line) => (
              <li key={`${line.instanceId}-${line.revision}`} class={`entry entry-${iconOf(line.kind)}`}>
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
    </>
  );
}
