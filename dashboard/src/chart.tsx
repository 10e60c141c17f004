/** The statechart of an instance: states inside each other, the present ones marked, each with what leads away from it. */
import { useEffect, useState } from 'preact/hooks';
import { asProblem, read } from './api.ts';
import { Loading, ProblemBox } from './parts.tsx';
import type { ChartState, Instance, Problem } from './types.ts';
import { filled, humanise, visible } from './words.ts';

/** Read once: a running instance stays with its version. */
export function Chart({ instance }: { readonly instance: Instance }) {
  const [root, setRoot] = useState<ChartState | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { id } = instance;

  useEffect(() => {
    let current = true;
    setRoot(null);
    read<ChartState>(`/v1/instances/${id}/chart`)
      .then(({ data }) => current && setRoot(data ?? null))
      .catch((error: unknown) => current && setProblem(asProblem(error)));
    return () => {
      current = false;
    };
  }, [id]);

  if (problem !== null) return <ProblemBox problem={problem} />;
  if (root === null) return <Loading />;
  const names = new Map(everyState(root).map((state) => [state.id, state]));
  const active = new Map(instance.states.map((state) => [state.id, state.sentence]));
  return (
    <ol class="chart" aria-label="States">
      {root.states.map((state) => (
        <State key={state.id} state={state} active={active} names={names} data={instance.context} />
      ))}
    </ol>
  );
}

export function everyState(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(everyState)];
}

/** True for a state that is active or holds one that is. */
function holdsActive(state: ChartState, active: ReadonlyMap<string, string>): boolean {
  return everyState(state).some(({ id }) => active.has(id));
}

function State(props: {
  readonly state: ChartState;
  readonly active: ReadonlyMap<string, string>;
  readonly names: ReadonlyMap<string, ChartState>;
  readonly data: unknown;
}) {
  const { state, active, names } = props;
  const on = holdsActive(state, active);
  const sentence =
    active.get(state.id) ?? (state.sentence === null ? null : filled(state.sentence, props.data));
  return (
    <li class={`state state-${state.kind}${on ? ' state-on' : ''}`} aria-current={on ? 'step' : undefined}>
      <p class="state-name">
        <strong>{humanise(state.name)}</strong>
        {on && <span class="chip chip-running">now</span>}
        {state.isInitial && !on && <span class="faint">begins here</span>}
        {state.kind === 'final' && <span class="faint">end</span>}
        {state.kind === 'parallel' && <span class="faint">all at once</span>}
      </p>
      {sentence !== null && <p class="state-sentence">{visible(sentence)}</p>}
      {state.leadsTo.length > 0 && (
        <details class="ways" open={on && state.states.length === 0}>
          <summary>
            {state.leadsTo.length === 1 ? '1 way on' : `${state.leadsTo.length} ways on`}
            <span class="sr-only"> from {humanise(state.name)}</span>
          </summary>
          <ul>
            {state.leadsTo.map(({ on: event, to }) => (
              <li key={`${event} ${to.join(' ')}`}>
                {event === '' ? 'at once' : <code>{event}</code>} <span aria-hidden="true">→</span>
                <span class="sr-only"> leads to</span>{' '}
                {to.map((id) => humanise(names.get(id)?.name ?? id)).join(', ')}
              </li>
            ))}
          </ul>
        </details>
      )}
      {state.states.length > 0 && (
        <ol class={`chart chart-${state.kind}`}>
          {state.states.map((inner) => (
            <State key={inner.id} state={inner} active={active} names={names} data={props.data} />
          ))}
        </ol>
      )}
    </li>
  );
}
