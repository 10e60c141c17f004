/** What the API, scripts and tests say to the engine. Types flow from the machine: a wrong signal does not compile. */
import { AppError, isAppError, unknownInstance } from '../shared/errors.ts';
import { newId, uuidFrom } from '../shared/ids.ts';
import { decode, encode } from './codec.ts';
import type { AnyWorkflow, ContextOf, InputOf, SignalName, SignalPayload } from './definition.ts';
import type { Engine, Handled, OpenInstance } from './engine.ts';
import type { Actor, Envelope, MachineEvent, OperatorEvent } from './event.ts';
import { type ChainVerdict, type HistoryEntry, readEntry, verifyStretches } from './history.ts';
import { type Choice, counted, groupsFor } from './indexes.ts';
import { parseInput, parseSignal } from './parse.ts';
import { isClosed } from './record.ts';
import { limitsOf, refOf } from './registry.ts';
import type { SignalBody } from './relay.ts';
import type { ListedInstance, PausedQueue } from './store.ts';
import { readRecord } from './stored.ts';
import { type InstanceView, sketchOf, viewOf } from './view.ts';

/** Who does it and why; kept in the history. */
export interface By {
  readonly by?: Actor;
  readonly reason?: string;
}

export interface OperateOptions extends By {
  /** Done on this revision or not at all: another one raises `revision-mismatch`. */
  readonly expectedRevision?: number;
}

export interface StartOptions<W extends AnyWorkflow> extends By {
  /** A caller's own id: letters, digits, `_` and `-`, at most 64. */
  readonly id?: string;
  /** The same key always means the same instance: a repeated start returns it, another input is refused. */
  readonly idempotencyKey?: string;
  /**
   * When the id is taken: `reject` raises `instance-exists` (the default for a caller's id), `return` gives the one
   * that is there, `replace-closed` starts anew under `<id>-2`, `-3`, … once the newest is closed.
   */
  readonly ifExists?: 'reject' | 'return' | 'replace-closed';
  readonly labels?: Readonly<Record<string, string>>;
  /** Sent right behind the start. */
  readonly signal?: { readonly type: SignalName<W>; readonly payload: unknown; readonly id: string };
}

export interface StartResult {
  readonly created: boolean;
  readonly instance: InstanceView;
}

export interface SignalOptions extends By {
  /** The same id is applied once. Default: a new one. */
  readonly id?: string;
}

export type SignalStatus = 'applied' | 'deferred' | 'rejected' | 'duplicate' | 'unmatched';

export interface SignalResult {
  readonly status: SignalStatus;
  readonly detail: string | null;
  readonly instance: InstanceView | null;
}

export interface ListFilter extends Choice {
  /** Instances that hold this correlation key. */
  readonly key?: string;
  /** Created before this, ms. */
  readonly createdBefore?: number;
  /** Created at or after this, ms. */
  readonly createdAfter?: number;
}

export interface ListPage {
  /** Fewer than asked for, even none, before the last page where the filters share next to nothing. */
  readonly items: readonly InstanceView[];
  readonly nextCursor: string | null;
}

export interface UnmatchedSignal {
  readonly key: string;
  readonly signalId: string;
  readonly event: MachineEvent;
  readonly at: number;
}

export interface Client {
  start<W extends AnyWorkflow>(
    workflow: W,
    input: InputOf<W>,
    options?: StartOptions<W>,
  ): Promise<StartResult>;
  signal<W extends AnyWorkflow, Type extends SignalName<W>>(
    workflow: W,
    instanceId: string,
    type: Type,
    payload: SignalPayload<W, Type>,
    options?: SignalOptions,
  ): Promise<SignalResult>;
  /** A signal whose workflow is known only at run time (the HTTP door). */
  signalById(
    instanceId: string,
    type: string,
    payload: unknown,
    options?: SignalOptions,
  ): Promise<SignalResult>;
  /** To whichever instances hold the key; with none, kept until one registers it. */
  signalByKey(
    key: string,
    type: string,
    payload: unknown,
    options: SignalOptions & { readonly id: string },
  ): Promise<SignalResult>;
  /** Null when there is no such instance. */
  describe(instanceId: string): Promise<InstanceView | null>;
  /** Reads the context with its type. */
  query<W extends AnyWorkflow, Result>(
    workflow: W,
    instanceId: string,
    read: (context: ContextOf<W>, view: InstanceView) => Result,
  ): Promise<Result>;
  list(filter: ListFilter, page?: { readonly limit?: number; readonly cursor?: string }): Promise<ListPage>;
  /**
   * Of every instance of every tree. Exact by status and workflow, alone or both, and by any other filter alone; by more,
   * at least this many: reading ends at 200, or earlier where the filters share next to nothing.
   */
  count(
    filter: Pick<ListFilter, 'status' | 'workflow' | 'attention' | 'rewound' | 'task' | 'waitingOn'>,
  ): Promise<number>;
  history(
    instanceId: string,
    page?: { readonly from?: number; readonly limit?: number },
  ): Promise<readonly HistoryEntry[]>;
  verifyHistory(instanceId: string): Promise<ChainVerdict>;
  pause(instanceId: string, options?: OperateOptions): Promise<InstanceView>;
  resume(instanceId: string, options?: OperateOptions): Promise<InstanceView>;
  /** `deferred` while the statechart cannot compensate yet; `force` stops everything where it is. */
  cancel(
    instanceId: string,
    options?: OperateOptions & { readonly force?: boolean },
  ): Promise<{ readonly status: 'applied' | 'deferred'; readonly instance: InstanceView }>;
  /** Tries again what waits, gave up or is in quarantine; one activity when `token` is given. */
  retry(instanceId: string, options?: OperateOptions & { readonly token?: string }): Promise<InstanceView>;
  operate(instanceId: string, event: OperatorEvent, options?: OperateOptions): Promise<InstanceView>;
  /** Hands a sealed secret over and destroys it, in that order of durability: destroyed first, then returned. */
  takeSecret(instanceId: string, name: string, options?: By): Promise<string>;
  /** Newest first; with `before` (ms) those that came before it. */
  unmatched(limit?: number, before?: number): Promise<readonly UnmatchedSignal[]>;
  pausedQueues(): Promise<readonly PausedQueue[]>;
  resumeQueue(queue: string): Promise<void>;
  liveWorkers(): Promise<readonly string[]>;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;

export function createClient(engine: Engine): Client {
  const { store, registry } = engine;

  const view = (open: OpenInstance): InstanceView =>
    viewOf(open, store.now(), (src) => {
      const actor = registry.actor(open.definition, src);
      if (actor.kind !== 'activity') return { name: src, description: src, maxAttempts: null };
      const { maxAttempts } = limitsOf(actor).retry;
      return { name: actor.name, description: actor.contract?.description ?? actor.name, maxAttempts };
    });

  /** An instance of a version that this process lacks is shown by its record alone. */
  async function seen(instanceId: string): Promise<InstanceView | null> {
    const stored = await store.load(instanceId);
    if (stored === null) return null;
    const record = readRecord(stored);
    return registry.find(record.definition) === null ? sketchOf(record) : view(engine.restore(stored));
  }

  async function opened(instanceId: string): Promise<OpenInstance> {
    const open = await engine.open(instanceId);
    if (open === null) throw unknownInstance(instanceId);
    return open;
  }

  async function start<W extends AnyWorkflow>(
    workflow: W,
    input: InputOf<W>,
    options: StartOptions<W> = {},
  ): Promise<StartResult> {
    const parsed = parseInput(workflow, input);
    const hash = options.idempotencyKey === undefined ? undefined : uuidFrom(encode(parsed));
    const id =
      options.id ??
      (options.idempotencyKey === undefined
        ? newId('wf', store.now())
        : idFromKey(workflow, options.idempotencyKey));
    if (!ID.test(id))
      throw new AppError('input-invalid', 'An instance id has letters, digits, _ and -, at most 64.', {
        details: { id },
      });
    const result = await startAs(id, workflow, parsed, hash, options);
    if (options.signal === undefined) return result;
    const { type, payload, id: signalId } = options.signal;
    const signaled = await signalById(result.instance.id, type, payload, { ...byOf(options), id: signalId });
    return { ...result, instance: signaled.instance ?? result.instance };
  }

  async function startAs<W extends AnyWorkflow>(
    id: string,
    workflow: W,
    input: unknown,
    hash: string | undefined,
    options: StartOptions<W>,
  ): Promise<StartResult> {
    const envelope: Envelope = {
      event: {
        kind: 'start',
        definition: refOf(workflow),
        input,
        ...(hash === undefined ? {} : { idempotencyHash: hash }),
        ...(options.labels === undefined ? {} : { labels: options.labels }),
      },
      ...byOf(options),
    };
    for (let number = 1; ; number += 1) {
      const candidate = number === 1 ? id : `${id}-${number}`;
      const { reply, open } = await engine.handle(candidate, envelope);
      if (open === null) throw unknownInstance(candidate);
      if (reply.status !== 'exists') return { created: true, instance: view(open) };
      const existing = existingInstance(open, hash, options);
      if (existing === 'next') continue;
      return { created: false, instance: view(open) };
    }
  }

  async function signalById(
    instanceId: string,
    type: string,
    payload: unknown,
    options: SignalOptions = {},
  ): Promise<SignalResult> {
    const signalId = options.id ?? newId('sig', store.now());
    const { reply, open } = await engine.handle(instanceId, {
      signalId,
      envelope: ({ definition }) => ({
        event: { kind: 'signal', id: signalId, event: parseSignal(definition.workflow, type, payload) },
        ...byOf(options),
      }),
    });
    return signalResult(reply, open === null ? null : view(open));
  }

  async function operate(
    instanceId: string,
    event: OperatorEvent,
    options: OperateOptions = {},
  ): Promise<Handled & { open: OpenInstance }> {
    const { expectedRevision } = options;
    const handled = await engine.handle(instanceId, { event, ...byOf(options) }, { expectedRevision });
    if (handled.open === null) throw unknownInstance(instanceId);
    if (handled.reply.status === 'impossible') {
      throw new AppError(
        handled.reply.detail === 'closed' ? 'instance-closed' : 'operation-impossible',
        `Cannot ${event.kind}: ${handled.reply.detail}.`,
        {
          details: { instanceId, operation: event.kind, why: handled.reply.detail },
        },
      );
    }
    return { ...handled, open: handled.open };
  }

  const operated = async (
    instanceId: string,
    event: OperatorEvent,
    options?: OperateOptions,
  ): Promise<InstanceView> => view((await operate(instanceId, event, options)).open);

  return {
    start,
    signal: (_workflow, instanceId, type, payload, options) => signalById(instanceId, type, payload, options),
    signalById,
    async signalByKey(key, type, payload, options) {
      const event = parseSignal(null, type, payload);
      const body: SignalBody = { event, ...byOf(options) };
      const ids = await store.route(key, { id: options.id, body: encode(body) });
      if (ids === null) return { status: 'duplicate', detail: key, instance: null };
      if (ids.length === 0) return { status: 'unmatched', detail: key, instance: null };
      const results: SignalResult[] = [];
      for (const instanceId of ids) {
        const open = await engine.open(instanceId);
        const declared = open?.definition.workflow?.signals;
        if (open === null || (declared !== undefined && !(type in declared))) continue;
        results.push(await signalById(instanceId, type, payload, options));
      }
      return (
        results.find(({ status }) => status === 'applied') ??
        results[0] ?? { status: 'rejected', detail: 'not-declared', instance: null }
      );
    },
    async describe(instanceId) {
      return seen(instanceId);
    },
    async query(_workflow, instanceId, read) {
      const open = await opened(instanceId);
      return read(open.record.machine.context as never, view(open));
    },
    async list(filter, page = {}) {
      if (filter.key !== undefined) return listByKey(filter.key);
      const limit = Math.min(Math.max(page.limit ?? 50, 1), 200);
      const before = page.cursor === undefined ? cursorAt(filter.createdBefore) : readCursor(page.cursor);
      const since = filter.createdAfter === undefined ? {} : { since: filter.createdAfter };
      // One more than asked for tells whether there is another page.
      const found = await store.list({ anyOf: groupsFor(filter), limit: limit + 1, before, ...since });
      const shown = found.items.slice(0, limit);
      const instances = await Promise.all(shown.map(({ id }) => seen(id)));
      const next = found.items.length > limit ? shown.at(-1) : found.next;
      return {
        items: instances.filter((instance) => instance !== null),
        nextCursor: next == null ? null : writeCursor(next),
      };
    },
    async count(filter) {
      return counted(store, { ...filter, children: true });
    },
    async history(instanceId, { from = 0, limit = 100 } = {}) {
      const lines = await store.history(instanceId, from, Math.min(limit, 1_000));
      if (lines.length === 0 && from === 0) throw unknownInstance(instanceId);
      return lines.map((line) => readEntry(line).entry);
    },
    async verifyHistory(instanceId) {
      const { record } = await opened(instanceId);
      const read = (from: number, limit: number) => store.history(instanceId, from, limit);
      return verifyStretches(read, record.revision, record.head);
    },
    pause: (instanceId, options) => operated(instanceId, { kind: 'pause' }, options),
    resume: (instanceId, options) => operated(instanceId, { kind: 'resume' }, options),
    async cancel(instanceId, options = {}) {
      const { reply, open } = await operate(
        instanceId,
        { kind: 'cancel', force: options.force ?? false },
        options,
      );
      return { status: reply.status === 'deferred' ? 'deferred' : 'applied', instance: view(open) };
    },
    retry: (instanceId, options = {}) =>
      operated(
        instanceId,
        { kind: 'retry', ...(options.token === undefined ? {} : { token: options.token }) },
        options,
      ),
    operate: operated,
    async takeSecret(instanceId, name, options) {
      for (;;) {
        // The revision before the secret: of two who read the same one, the second to commit is refused.
        const { record } = await opened(instanceId);
        const sealed = await store.secret(instanceId, name);
        if (sealed === null)
          throw new AppError('secret-unknown', `There is no secret '${name}' to reveal.`, {
            details: { instanceId, name },
          });
        const given = { secrets: { set: [], drop: [name] }, expectedRevision: record.revision };
        try {
          await engine.handle(
            instanceId,
            { event: { kind: 'secret.revealed', name }, ...byOf(options ?? {}) },
            given,
          );
          return sealed;
        } catch (error) {
          if (!isAppError(error, 'revision-mismatch')) throw error;
        }
      }
    },
    async unmatched(limit = 100, before) {
      const parked = await store.parked(limit, before);
      return parked.map(({ key, signalId, body, at }) => ({
        key,
        signalId,
        at,
        event: decode<SignalBody>(body).event,
      }));
    },
    pausedQueues: () => store.pausedQueues(),
    resumeQueue: (queue) => store.resumeQueue(queue),
    liveWorkers: () => store.liveWorkers(),
  };

  async function listByKey(key: string): Promise<ListPage> {
    const ids = await store.holders(key);
    const instances = await Promise.all(ids.map(seen));
    return { items: instances.filter((instance) => instance !== null), nextCursor: null };
  }
}

function existingInstance<W extends AnyWorkflow>(
  { record }: OpenInstance,
  hash: string | undefined,
  options: StartOptions<W>,
): 'this' | 'next' {
  const details = { instanceId: record.id };
  if (hash !== undefined && record.idempotencyHash !== null) {
    if (record.idempotencyHash === hash) return 'this';
    throw new AppError('idempotency-mismatch', 'This idempotency key was used with another input.', {
      details,
    });
  }
  switch (options.ifExists ?? 'reject') {
    case 'return':
      return 'this';
    case 'replace-closed':
      if (isClosed(record.status)) return 'next';
      throw new AppError('instance-exists', `The instance '${record.id}' is still open.`, { details });
    case 'reject':
      throw new AppError('instance-exists', `The instance '${record.id}' exists.`, { details });
  }
}

function idFromKey(workflow: AnyWorkflow, key: string): string {
  return `wf_${uuidFrom('start', workflow.name, key).replaceAll('-', '')}`;
}

function byOf({ by, reason }: By): By {
  return { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
}

function signalResult(reply: Handled['reply'], instance: InstanceView | null): SignalResult {
  switch (reply.status) {
    case 'applied':
    case 'deferred':
      return { status: reply.status, detail: reply.detail ?? null, instance };
    case 'duplicate':
      return { status: 'duplicate', detail: reply.first, instance };
    case 'rejected':
      return { status: 'rejected', detail: reply.detail, instance };
    default:
      return { status: 'rejected', detail: reply.status, instance };
  }
}

function cursorAt(createdBefore: number | undefined): { score: number; id: string } | null {
  return createdBefore === undefined ? null : { score: createdBefore, id: '' };
}

function writeCursor({ score, id }: ListedInstance): string {
  return Buffer.from(`${score}:${id}`).toString('base64url');
}

function readCursor(cursor: string): { score: number; id: string } {
  const [score, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  if (id === undefined || !/^\d+$/.test(score ?? ''))
    throw new AppError('input-invalid', 'The cursor is not one of ours.', {
      details: { pointer: '/cursor' },
    });
  return { score: Number(score), id };
}
