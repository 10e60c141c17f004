import { useEffect, useRef } from 'preact/hooks';
import { Batch } from './batch.tsx';
import { Icon } from './icons.tsx';
import { useLive } from './live.ts';
import { Age, Empty, Loading, ProblemBox, StatusChip } from './parts.tsx';
import { waitingOn, whoWords } from './status.ts';
import { go, mayOperate, place } from './store.ts';
import type { Page, Summary } from './types.ts';
import { visible } from './words.ts';

const SET_BACK = 'rewound=true';

const VIEWS = [
  { name: 'All', query: '' },
  { name: 'Running', query: 'status=running' },
  { name: 'Waiting for customers', query: 'waitingOn=customer&children=true' },
  { name: 'Open tasks', query: 'task=true&children=true' },
  { name: 'Attention', query: 'attention=true&children=true' },
  { name: 'Set back', query: SET_BACK },
  { name: 'Done', query: 'status=completed' },
] as const;

export function List() {
  const query = new URLSearchParams(place.value.query);
  const cursor = query.get('cursor');
  query.delete('cursor');
  const current = query.toString();
  const asked = new URLSearchParams({
    ...Object.fromEntries(query),
    limit: '50',
    ...(cursor === null ? {} : { cursor }),
  });
  const { data, problem } = useLive<Page<Summary>>(`/v1/instances?${asked}`);
  const next = data?.nextCursor ?? null;
  return (
    <main id="main" class="page">
      <div class="page-head">
        <h1>Onboardings</h1>
        {mayOperate() && (
          <a class="button-main" href="#/start">
            <Icon name="plus" /> Start
          </a>
        )}
      </div>
      <Views current={current} />
      {current === SET_BACK && (
        <p class="faint">
          Open when the store lost what it had answered and was taken on again: each may have been further
          than it shows. Read them against Partner Center; the page of each says which time may be forgotten.
        </p>
      )}
      {problem !== null && <ProblemBox problem={problem} />}
      {data === null && problem === null && <Loading />}
      {data !== null && <Table items={data.data} filtered={current !== ''} />}
      {data !== null && (data.data.length > 0 || current !== '') && <Batch key={current} query={current} />}
      {(next !== null || cursor !== null) && (
        <div class="pager">
          {cursor !== null && (
            <a class="button" href={current === '' ? '#/' : `#/?${current}`}>
              Newest
            </a>
          )}
          {next !== null && (
            <a
              class="button"
              href={`#/?${new URLSearchParams({ ...Object.fromEntries(query), cursor: next })}`}
            >
              Older
            </a>
          )}
        </div>
      )}
    </main>
  );
}

/** A narrow screen shows a few of them; the one we are in is among those. */
function Views({ current }: { readonly current: string }) {
  const bar = useRef<HTMLElement>(null);
  // `current` is not read: the link it marks is.
  useEffect(() => {
    bar.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current]);
  return (
    <nav class="tabs" aria-label="Views" ref={bar}>
      {VIEWS.map((view) => (
        <a
          key={view.name}
          href={view.query === '' ? '#/' : `#/?${view.query}`}
          aria-current={view.query === current ? 'page' : undefined}
        >
          {view.name}
        </a>
      ))}
    </nav>
  );
}

function Table({ items, filtered }: { readonly items: readonly Summary[]; readonly filtered: boolean }) {
  if (items.length === 0)
    return filtered ? (
      <Empty icon="check" title="Nothing here">
        No onboarding stands here at the moment.
      </Empty>
    ) : (
      <Empty icon="inbox" title="No onboardings yet">
        {mayOperate() ? (
          <a href="#/start">Start the first one.</a>
        ) : (
          'Somebody with the role operator can start the first one.'
        )}
      </Empty>
    );
  return (
    <table class="list card">
      <thead>
        <tr>
          <th scope="col">Customer</th>
          <th scope="col">Where it stands</th>
          <th scope="col">Status</th>
          <th scope="col">For</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row key={item.id} item={item} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ item }: { readonly item: Summary }) {
  const address = `#/instances/${item.rootId}`;
  const inner = item.innermost;
  const open = item.status === 'running' || item.status === 'paused';
  const who = waitingOn(item);
  return (
    // The link in the first cell is the way for keyboards; the click on the row is a convenience.
    <tr onClick={() => go(address.slice(1))}>
      <td class="cell-who">
        <a href={address} onClick={(event) => event.stopPropagation()}>
          {visible(item.subject ?? item.id)}
        </a>
        <span class="faint">{item.title}</span>
      </td>
      <td class="cell-where">
        <span>{visible(inner?.sentence ?? item.sentence)}</span>
        {inner !== null && inner.sentence !== item.sentence && (
          <span class="faint">{visible(item.sentence)}</span>
        )}
      </td>
      <td class="cell-status">
        <StatusChip of={item} />
        {open && who !== null && <span class="faint">waiting on {whoWords(who)}</span>}
        {open && item.rewound !== null && <span class="faint">the store was set back</span>}
      </td>
      <td class="cell-age">
        <Age since={item.stateSince} />
      </td>
    </tr>
  );
}
