import { useId, useState } from 'preact/hooks';
import { post } from './api.ts';
import { ProblemBox, ReasonField } from './parts.tsx';
import { mayOperate, say } from './store.ts';
import { useSubmit } from './submit.ts';
import type { Instance } from './types.ts';

interface Operation {
  readonly name: 'pause' | 'resume' | 'retry' | 'cancel';
  readonly label: string;
  readonly done: string;
  readonly question: string;
  readonly danger?: boolean;
}

export const OPERATIONS: Readonly<Record<Operation['name'], Operation>> = {
  pause: {
    name: 'pause',
    label: 'Pause',
    done: 'Paused.',
    question: 'Begins nothing new. What comes in meanwhile waits.',
  },
  resume: { name: 'resume', label: 'Resume', done: 'Resumed.', question: 'Goes on where it stood.' },
  retry: {
    name: 'retry',
    label: 'Try again now',
    done: 'Trying again.',
    question: 'Tries at once what waits or gave up.',
  },
  cancel: {
    name: 'cancel',
    label: 'Cancel',
    done: 'Cancellation asked for.',
    question: 'Ends the onboarding and takes back what can be taken back. What was ordered stays ordered.',
    danger: true,
  },
};

/** Every open instance of the tree, the top one first. */
export function everyInstance(instance: Instance): readonly Instance[] {
  return [
    instance,
    ...instance.children.flatMap((child) => (child.instance === null ? [] : everyInstance(child.instance))),
  ];
}

export function Operations({ instance, onDone }: { readonly instance: Instance; onDone(): void }) {
  const [chosen, setChosen] = useState<Operation | null>(null);
  const open = instance.status === 'running' || instance.status === 'paused';
  if (!open || !mayOperate()) return null;
  const stuck = everyInstance(instance).filter(
    ({ attention, activities }) =>
      attention !== null ||
      activities.some(({ phase }) => phase === 'attention' || phase === 'waiting-retry'),
  );
  const names: readonly Operation['name'][] = [
    ...(stuck.length > 0 ? (['retry'] as const) : []),
    instance.status === 'paused' ? 'resume' : 'pause',
    'cancel',
  ];
  if (chosen !== null)
    return (
      <Confirm
        operation={chosen}
        // What is stuck may be a part further down.
        targets={chosen.name === 'retry' ? stuck.map(({ id }) => id) : [instance.id]}
        onLeave={() => setChosen(null)}
        onDone={() => {
          setChosen(null);
          onDone();
        }}
      />
    );
  return (
    <div class="actions">
      {names.map((name) => (
        <button key={name} type="button" class="button" onClick={() => setChosen(OPERATIONS[name])}>
          {OPERATIONS[name].label}
        </button>
      ))}
    </div>
  );
}

export function Confirm(props: {
  readonly operation: Operation;
  readonly targets: readonly string[];
  onLeave(): void;
  onDone(): void;
}) {
  const { operation, targets } = props;
  const [reason, setReason] = useState('');
  const { busy, problem, on } = useSubmit();
  const id = useId();

  async function submit(): Promise<void> {
    for (const id of targets)
      await post(
        `/v1/instances/${id}/${operation.name}`,
        reason.trim() === '' ? {} : { reason: reason.trim() },
      );
    say(operation.done);
    props.onDone();
  }

  return (
    <form class="inner-form" onSubmit={on(submit)}>
      <h4>{operation.label}</h4>
      <p>{operation.question}</p>
      {problem !== null && <ProblemBox problem={problem} />}
      <ReasonField id={id} required={operation.danger === true} value={reason} onChange={setReason} />
      <div class="actions">
        <button
          class={operation.danger === true ? 'button-danger' : 'button-main'}
          type="submit"
          disabled={busy}
        >
          Confirm: {operation.label}
        </button>
        <button class="button" type="button" onClick={props.onLeave}>
          Back
        </button>
      </div>
    </form>
  );
}
