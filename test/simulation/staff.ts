/** Operations staff: by any of their means, at any moment, and once more when they get no answer. */
import type { InstanceView, Operation } from '../../engine/index.ts';
import type { Calls } from './calls.ts';
import type { Chance } from './chance.ts';
import type { Judge } from './judge.ts';
import { answerOf, forkId, isRoot, type Step } from './programs.ts';

export interface StaffOptions {
  readonly chance: Chance;
  readonly judge: Judge;
  readonly calls: Calls;
}

const FAILURE = { kind: 'terminal', code: 'by-hand', message: 'Staff say that it failed.' } as const;
const FOR_MANY: readonly Operation[] = [
  { kind: 'pause' },
  { kind: 'resume' },
  { kind: 'retry' },
  { kind: 'move', to: 'next' },
];

/** Resolves when they have done their share. What they do never changes what a program must come to. */
export async function takeAHand({ chance, judge, calls }: StaffOptions): Promise<void> {
  const { ask, sleep } = calls;

  async function operate(id: string, event: Operation, expectedRevision?: number): Promise<void> {
    const { error } = await ask((client) =>
      client.operate(id, event, expectedRevision === undefined ? {} : { expectedRevision }),
    );
    if (error === null) judge.accepted({ instanceId: id, kind: event.kind });
  }

  /** The step it is at begins anew. */
  async function redo(id: string, { state, revision }: InstanceView): Promise<void> {
    const [path = ''] = typeof state === 'string' ? [state] : Object.keys(state);
    if (chance.happens(0.5)) return operate(id, { kind: 'move', to: 'next' });
    // In another step the state would do another thing.
    const { error } = await ask(async (client, { operations }) => {
      await operations.preview(id, { kind: 'retry-from', state: path });
      return client.operate(id, { kind: 'retry-from', state: path }, { expectedRevision: revision });
    });
    if (error === null) judge.accepted({ instanceId: id, kind: 'retry-from' });
  }

  /** What an activity would come to, said by a person before it does. */
  async function settle(id: string, { activities, context }: InstanceView): Promise<void> {
    if (activities.length === 0) return;
    const { token, name } = chance.pick(activities);
    const { program, at } = context as { program: readonly Step[]; at: number };
    const step = program[at];
    const n = step !== undefined && 'n' in step ? step.n : 0;
    if (name === 'fail') return operate(id, { kind: 'fail-activity', token, failure: FAILURE });
    return operate(id, { kind: 'complete-activity', token, output: answerOf(name, n) });
  }

  async function fork(id: string, { revision }: InstanceView, number: number): Promise<void> {
    const options = { revision: chance.between(1, revision), id: forkId(id, number), restartChildren: true };
    const { error, first } = await ask((_client, { operations }) => operations.fork(id, options));
    if (error === null) judge.accepted({ instanceId: options.id, kind: 'fork' });
    else if (first && error.code === 'instance-exists')
      judge.accuse(`${options.id}: was forked once and told that it is there`);
  }

  /** Sent until there is an answer: each instance is in it once, whoever asked. */
  async function batch(id: string): Promise<void> {
    const operation = chance.pick(FOR_MANY);
    const filter = { workflow: 'programmed' };
    const { value: report } = await ask(async (_client, { operations }) => {
      const expected = await operations.countBatch(filter);
      return operations.batch({ id, filter, operation, expected });
    });
    if (report !== null) judge.acceptedByMany(`batch:${id}`, report.done + report.before);
  }

  async function act(number: number): Promise<void> {
    const id = chance.pick(judge.instances());
    const { value: view } = await ask((client) => client.describe(id));
    if (view === null) return;
    const root = isRoot(id);
    switch (chance.pick(['redo', 'settle', 'settle', 'edit', 'retry', 'fork', 'batch'] as const)) {
      case 'redo':
        return root ? redo(id, view) : undefined;
      case 'settle':
        return settle(id, view);
      case 'edit':
        return operate(id, { kind: 'edit-context', changes: { edited: number } });
      case 'retry':
        return operate(id, { kind: 'retry' });
      case 'fork':
        return root ? fork(id, view, number) : undefined;
      case 'batch':
        return batch(`${number}`);
    }
  }

  for (let number = chance.between(1, 4); number > 0; number -= 1) {
    await sleep(chance.int(900));
    if (judge.instances().length > 0) await act(number);
  }
}
