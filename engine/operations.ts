/** What operations staff ask for beyond one event to one instance: looking ahead, forks of the past, and many at once. */
import { AppError, isAppError, type JsonObject, messageOf, unknownInstance } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { By, Client, ListFilter } from './client.ts';
import type { Engine } from './engine.ts';
import type { Envelope, ForkedChild, OperatorEvent } from './event.ts';
import { readEntry } from './history.ts';
import { type Preview, previewOf } from './preview.ts';
import { isClosed } from './record.ts';
import { replayTo } from './replay.ts';
import { activePaths } from './shape.ts';
import type { InstanceView } from './view.ts';

/** What one operator event may be, by hand or in a batch. */
export type Operation = Exclude<OperatorEvent, { kind: 'migrate' | 'secret.revealed' }>;

export interface ForkOptions extends By {
  readonly revision: number;
  /** Id of the new instance. */
  readonly id?: string;
  /** Children that were live then begin anew in the fork; without it such a revision is refused. */
  readonly restartChildren?: boolean;
}

export interface BatchOptions extends By {
  /** The same id does it once an instance, however often the batch is sent: a batch cut short is sent again. */
  readonly id: string;
  readonly filter: ListFilter;
  readonly operation: Operation;
  /** The count seen by `dryRun`; more than that, and nothing is done. */
  readonly expected: number;
  /** Raises an AppError for an instance that the caller may not touch. */
  readonly permit?: (instanceId: string) => Promise<void>;
}

export interface BatchReport {
  readonly matched: number;
  readonly done: number;
  /** Done before, under the same batch id. */
  readonly before: number;
  readonly refused: readonly {
    readonly instanceId: string;
    readonly code: string;
    readonly message: string;
  }[];
}

export interface Operations {
  preview(instanceId: string, operation: Operation): Promise<Preview>;
  /** Enters a state that the instance was in before anew, with today's context; reopens a failed instance. */
  retryFrom(instanceId: string, state: string, options?: By): Promise<InstanceView>;
  fork(instanceId: string, options: ForkOptions): Promise<InstanceView>;
  previewFork(instanceId: string, options: ForkOptions): Promise<Preview>;
  /** How many instances the filter finds; a batch takes at most `MAX_BATCH`. */
  countBatch(filter: ListFilter): Promise<number>;
  batch(options: BatchOptions): Promise<BatchReport>;
}

export const MAX_BATCH = 1_000;
const AT_ONCE = 10;

export function createOperations(engine: Engine, client: Client): Operations {
  const { store, registry } = engine;

  async function requireVisited(instanceId: string, state: string): Promise<void> {
    const open = await engine.open(instanceId);
    if (open === null) throw unknownInstance(instanceId);
    const entries = (await store.history(instanceId, 0, open.record.revision)).map(
      (line) => readEntry(line).entry,
    );
    if (entries.some((entry) => entry.state !== undefined && activePaths(entry.state).includes(state)))
      return;
    throw impossible(instanceId, 'retry-from', `it was never in '${state}'`);
  }

  async function forkEvent(instanceId: string, options: ForkOptions): Promise<Envelope> {
    const lines = await store.history(instanceId, 0, options.revision);
    if (lines.length === 0) throw unknownInstance(instanceId);
    const past = replayTo(registry, instanceId, lines, options.revision);
    const no = (why: string): AppError => impossible(instanceId, 'fork', why);
    if (past === null) throw no(`there is no revision ${options.revision} to be had`);
    const { record } = past;
    if (record.parent !== null) throw no(`it belongs to '${record.parent.instanceId}': fork that one`);
    if (isClosed(record.status)) throw no(`it was ${record.status} by then`);
    const live = Object.entries(record.children);
    if (live.length > 0 && options.restartChildren !== true)
      throw no(`${live.map(([, { actorId }]) => actorId).join(', ')} ran below it then and would begin anew`);
    const children = await Promise.all(live.map(([token, child]) => startOf(token, child.instanceId)));
    const from = { instanceId, revision: options.revision };
    // What was lost is lost for every past as well.
    const rewound = (await engine.open(instanceId))?.record.rewound;
    return {
      event: {
        kind: 'fork',
        definition: record.definition,
        from,
        past: { ...record, ...(rewound && { rewound }) },
        children,
      },
      ...(options.by === undefined ? {} : { by: options.by }),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    };
  }

  async function startOf(token: string, instanceId: string): Promise<ForkedChild> {
    const [line] = await store.history(instanceId, 0, 1);
    const event = line === undefined ? null : readEntry(line).entry.event;
    if (event?.kind !== 'start') throw impossible(instanceId, 'fork', 'how it was started is not known');
    return { token, definition: event.definition, input: event.input };
  }

  async function countBatch(filter: ListFilter): Promise<number> {
    let count = 0;
    for await (const _ of views(client, filter)) if (++count > MAX_BATCH) break;
    return count;
  }

  return {
    async preview(instanceId, operation) {
      if (operation.kind === 'retry-from') await requireVisited(instanceId, operation.state);
      return previewOf(await engine.preview(instanceId, { event: operation }));
    },
    async retryFrom(instanceId, state, options) {
      await requireVisited(instanceId, state);
      return client.operate(instanceId, { kind: 'retry-from', state }, options);
    },
    async fork(instanceId, options) {
      const envelope = await forkEvent(instanceId, options);
      const id = options.id ?? newId('wf', store.now());
      const { reply } = await engine.handle(id, envelope);
      if (reply.status === 'exists')
        throw new AppError('instance-exists', `The instance '${id}' exists.`, {
          details: { instanceId: id },
        });
      const view = await client.describe(id);
      if (view === null) throw unknownInstance(id);
      return view;
    },
    async previewFork(instanceId, options) {
      return previewOf(await engine.preview(newId('wf', store.now()), await forkEvent(instanceId, options)));
    },
    countBatch,
    async batch({ id, filter, operation, expected, permit, by, reason }) {
      const found: string[] = [];
      for await (const view of views(client, filter)) {
        found.push(view.id);
        if (found.length > Math.min(expected, MAX_BATCH)) throw changed(found.length, expected);
      }
      const report = {
        matched: found.length,
        done: 0,
        before: 0,
        refused: [] as BatchReport['refused'][number][],
      };
      const one = async (instanceId: string): Promise<void> => {
        try {
          await permit?.(instanceId);
          if (operation.kind === 'retry-from') await requireVisited(instanceId, operation.state);
          const envelope = { event: operation, ...(by && { by }), ...(reason && { reason }) };
          const { reply } = await engine.handle(instanceId, envelope, { operationId: `batch:${id}` });
          if (reply.status === 'duplicate') report.before += 1;
          else if (reply.status === 'impossible') throw impossible(instanceId, operation.kind, reply.detail);
          else report.done += 1;
        } catch (error) {
          if (!isAppError(error)) throw error;
          report.refused.push({ instanceId, code: error.code, message: messageOf(error) });
        }
      };
      for (let at = 0; at < found.length; at += AT_ONCE)
        await Promise.all(found.slice(at, at + AT_ONCE).map(one));
      return report;
    },
  };
}

/** Everything the filter finds, newest first. */
async function* views(client: Client, filter: ListFilter): AsyncGenerator<InstanceView> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Client['list']>> = await client.list(filter, {
      limit: 200,
      ...(cursor === null ? {} : { cursor }),
    });
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

function changed(found: number, expected: number): AppError {
  const message =
    expected < MAX_BATCH
      ? `The filter finds more than the ${expected} instances that were counted.`
      : `The filter finds more than the ${MAX_BATCH} instances one batch may hold.`;
  return new AppError('batch-changed', message, { details: { found, expected } satisfies JsonObject });
}

function impossible(instanceId: string, operation: string, why: string): AppError {
  return new AppError('operation-impossible', `Cannot ${operation}: ${why}.`, {
    details: { instanceId, operation, why },
  });
}
