/** What became of each customer of a list, in the page of the instance that follows them. */

import { Icon } from './icons.tsx';
import { useLive } from './live.ts';
import type { Chip } from './status.ts';
import type { Instance, ListRow, Page, StartedChild } from './types.ts';
import { humanise, visible } from './words.ts';

/** A row that has ended is a child no more, so where it went is asked for. */
const EVERY_MS = 10_000;

const STATES: Readonly<Record<string, Chip>> = {
  waiting: { word: 'Not begun', icon: 'clock', tone: 'quiet' },
  routing: { word: 'Finding the path', icon: 'play', tone: 'running' },
  running: { word: 'Running', icon: 'play', tone: 'running' },
  completed: { word: 'Done', icon: 'check', tone: 'done' },
  canceled: { word: 'Canceled', icon: 'minus', tone: 'quiet' },
  abandoned: { word: 'Given up', icon: 'minus', tone: 'quiet' },
  failed: { word: 'Failed', icon: 'cross', tone: 'failed' },
  'set-aside': { word: 'Set aside', icon: 'alert', tone: 'needs' },
};
const UNKNOWN: Chip = { word: 'Unknown', icon: 'alert', tone: 'quiet' };

/** The rows of a list's instance, or null for any other. */
export function rowsOf({ workflow, context }: Instance): readonly ListRow[] | null {
  if (workflow !== 'onboard-many') return null;
  return (context as { readonly rows?: readonly ListRow[] } | null)?.rows ?? null;
}

export function ListRows({
  instance,
  rows,
}: {
  readonly instance: Instance;
  readonly rows: readonly ListRow[];
}) {
  const live = new Map(instance.children.map((child) => [child.actorId, child.instance]));
  const { data: started } = useLive<Page<StartedChild>>(`/v1/instances/${instance.id}/children`, EVERY_MS);
  const ids = new Map(
    [...(started?.data ?? []), ...instance.children].map((child) => [child.actorId, child.instanceId]),
  );
  const counts = Map.groupBy(rows, ({ state }) => state);
  return (
    <section class="card">
      <h2>Customers of this list</h2>
      <ul class="counts">
        {Object.entries(STATES).map(([state, { word, icon, tone }]) => {
          const number = counts.get(state)?.length ?? 0;
          return number === 0 ? null : (
            <li key={state} class={`chip chip-${tone}`}>
              <Icon name={icon} /> {number} {word.toLowerCase()}
            </li>
          );
        })}
      </ul>
      <div class="scroll">
        <table class="small rows">
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">Customer</th>
              <th scope="col">State</th>
              <th scope="col">Where it stands</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row
                key={row.line}
                row={row}
                id={ids.get(`row-${row.line}`)}
                inner={live.get(`row-${row.line}`) ?? null}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({
  row,
  id,
  inner,
}: {
  readonly row: ListRow;
  /** Of its onboarding; undefined until one began. */
  readonly id: string | undefined;
  readonly inner: Instance | null;
}) {
  const { word, icon, tone } = STATES[row.state] ?? UNKNOWN;
  const name = visible(row.name === '' ? row.key : row.name);
  return (
    <tr>
      <td>{row.line}</td>
      <td>{id === undefined ? name : <a href={`#/instances/${id}`}>{name}</a>}</td>
      <td>
        <span class={`chip chip-${tone}`}>
          <Icon name={icon} /> {word}
        </span>
      </td>
      <td>
        {visible(inner?.innermost?.sentence ?? inner?.sentence ?? row.why ?? '')}
        {row.path !== null && <span class="faint row-path">{humanise(row.path)}</span>}
      </td>
    </tr>
  );
}
