/** Small pieces that every view uses. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';
import { chipOf } from './status.ts';
import type { Problem, Summary } from './types.ts';
import { ageOf, bothTimes, humanise, JUST_NOW, localTime, untilOf, visible } from './words.ts';

export function StatusChip({ of }: { readonly of: Summary }) {
  const { word, icon, tone } = chipOf(of);
  return (
    <span class={`chip chip-${tone}`}>
      <Icon name={icon} />
      {word}
    </span>
  );
}

/** The present, anew every ten seconds. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** A moment by the reader's own clock, in UTC too when pointed at. */
export function Moment({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={bothTimes(at)}>
      {localTime(at)}
    </time>
  );
}

/** How long ago; `before` goes ahead of it unless it is just now. */
export function Age({
  since,
  before = '',
  after = '',
}: {
  readonly since: string;
  readonly before?: string;
  readonly after?: string;
}) {
  const age = ageOf(since, useNow());
  return (
    <time dateTime={since} title={bothTimes(since)}>
      {age === JUST_NOW ? age : `${before}${age}${after}`}
    </time>
  );
}

/** When something is due; marked, in words too, once that time is over. */
export function Due({ at }: { readonly at: string }) {
  const now = useNow();
  const over = Date.parse(at) <= now;
  const age = ageOf(at, now);
  return (
    <time class={over ? 'due-over' : undefined} dateTime={at} title={bothTimes(at)}>
      {over ? (age === JUST_NOW ? 'overdue' : `overdue for ${age}`) : `due ${untilOf(at, now)}`}
    </time>
  );
}

export function ProblemBox({ problem }: { readonly problem: Problem }) {
  return (
    <div class="banner banner-bad" role="alert">
      <Icon name="alert" />
      <div>
        <strong>{problem.title}</strong>
        <p>{visible(problem.detail)}</p>
        {problem.errors !== undefined && (
          <ul>
            {problem.errors.map(({ pointer, detail }) => (
              <li key={pointer}>
                <code>{pointer}</code> {detail}
              </li>
            ))}
          </ul>
        )}
        {problem.traceId !== '' && <p class="faint">Trace {problem.traceId}</p>}
      </div>
    </div>
  );
}

/** Why somebody does what they are about to do. */
export function ReasonField({
  id,
  label = 'Reason',
  required,
  value,
  onChange,
}: {
  readonly id: string;
  readonly label?: string;
  readonly required: boolean;
  readonly value: string;
  onChange(value: string): void;
}) {
  return (
    <div class="field">
      <label for={id}>
        {label} {!required && <span class="faint">optional, kept in the history</span>}
      </label>
      <textarea
        id={id}
        rows={2}
        maxLength={2_000}
        required={required}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

export function Empty(props: {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={props.icon} />
      <h2>{props.title}</h2>
      <p>{props.children}</p>
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      Loading …
    </p>
  );
}

/** Any value a task shows: text, lists as tables, the rest by name. */
export function Value({ value }: { readonly value: unknown }) {
  if (value === null || value === undefined || value === '') return <span class="faint">none</span>;
  if (typeof value === 'boolean') return <>{value ? 'yes' : 'no'}</>;
  if (typeof value === 'string' || typeof value === 'number')
    return <span class="text">{visible(String(value))}</span>;
  if (Array.isArray(value)) return <ListValue items={value} />;
  return (
    <dl class="facts facts-inner">
      {Object.entries(value).map(([name, inner]) => (
        <div key={name}>
          <dt>{visible(humanise(name))}</dt>
          <dd>
            <Value value={inner} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const isRow = (item: unknown): item is Record<string, unknown> =>
  typeof item === 'object' && item !== null && !Array.isArray(item);

function ListValue({ items }: { readonly items: readonly unknown[] }) {
  if (items.length === 0) return <span class="faint">none</span>;
  if (!items.every(isRow))
    return (
      <ul class="plain">
        {items.map((item, index) => (
          <li key={index}>
            <Value value={item} />
          </li>
        ))}
      </ul>
    );
  const columns = [...new Set(items.flatMap((item) => Object.keys(item)))];
  return (
    <div class="scroll">
      <table class="small">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {visible(humanise(column))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item, index) => (
            <tr key={index}>
              {columns.map((column) => (
                <td key={column}>
                  <Value value={item[column]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
