/**
 * Carries a commit's outbox out: activities to workers, messages to other instances, keys to their shards. Whoever
 * committed relays at once; what a dead process left is found again by the sweeper. Every delivery may happen twice:
 * tokens, channel numbers and set semantics make the second one nothing.
 */
import { AppError, isAppError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { decode, errorToData } from './codec.ts';
import type { KeyChange } from './commit.ts';
import type { ActivityTicket, Handled } from './engine.ts';
import type { EngineEvent, Envelope, MachineEvent } from './event.ts';
import type { OutboxItem, ParkedSignal, Store } from './store.ts';
import type { Message } from './turn.ts';

export interface RelayOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly dispatch: ((tickets: readonly ActivityTicket[]) => Promise<void>) | undefined;
  deliver(instanceId: string, envelope: Envelope): Promise<Handled>;
}

export interface Relay {
  /** Begins to carry out what a commit of this process wrote; does not wait. */
  push(items: readonly OutboxItem[]): void;
  /** Carries out entries the sweeper found. */
  carry(items: readonly { readonly id: string; readonly body: string | null }[]): Promise<void>;
  settled(): Promise<void>;
}

/** A parked signal's body. */
export interface SignalBody {
  readonly event: MachineEvent;
  readonly by?: Envelope['by'];
  readonly reason?: string;
}

/** Before a message that needs newer workflows is looked for again, by this process or one that has them. */
const RELEASE_MS = 500;

export function createRelay({ store, log, dispatch, deliver }: RelayOptions): Relay {
  /** One line per receiver keeps messages in the order they were committed. */
  const lines = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();

  function track(work: Promise<void>): Promise<void> {
    running.add(work);
    const over = (): void => void running.delete(work);
    // Whoever asked is told of an error; nobody else is there to hear of it a second time.
    work.then(over, over);
    return work;
  }

  function inLine(target: string, work: () => Promise<void>): Promise<void> {
    const previous = lines.get(target) ?? Promise.resolve();
    const next = previous.then(work);
    lines.set(target, next);
    void next.finally(() => {
      if (lines.get(target) === next) lines.delete(target);
    });
    return next;
  }

  async function carryOne(id: string, body: string): Promise<void> {
    const content = decode<Message | KeyChange>(body);
    const target = 'to' in content ? content.to : content.key;
    const shard = store.shardOf(id.split('|')[1] ?? '');
    await inLine(target, async () => {
      try {
        const arrived = 'to' in content ? await deliverMessage(id, content) : await changeKey(content);
        if (arrived) await store.ackOutbox(shard, [id]);
      } catch (error) {
        // It stays in the outbox; the sweeper brings it again.
        log.warn({ outbox: id, error: messageOf(error) }, 'relay failed');
        if (isAppError(error, 'workflow-version-missing'))
          await store.releaseOutbox(shard, id, RELEASE_MS).catch(() => undefined);
      }
    });
  }

  async function deliverMessage(id: string, { to, body }: Message): Promise<boolean> {
    try {
      const { reply } = await deliver(to, { event: eventOf(id, body) });
      return reply.status !== 'early';
    } catch (error) {
      if (body.kind === 'start' && cannotBegin(error)) return reportStillborn(id, to, body.token, error);
      if (!isAppError(error, 'instance-unknown')) throw error;
      // A child comes to be by its own first message; any other receiver that is not there will never be.
      if (body.kind === 'parent.message' || body.kind === 'parent.stop') return false;
      log.warn({ outbox: id, to }, 'receiver is gone');
      return true;
    }
  }

  /** A child that can never be started has failed; its parent is told in its place. */
  async function reportStillborn(id: string, child: string, token: string, error: unknown): Promise<boolean> {
    log.error({ instanceId: child, error: messageOf(error) }, 'child cannot begin');
    const parent = id.split('|')[1] ?? '';
    const event = { kind: 'child.failed', token, seq: 1, error: errorToData(error) } as const;
    await deliver(parent, { event });
    return true;
  }

  async function changeKey({ key, instanceId, change }: KeyChange): Promise<boolean> {
    if (change === 'unregister') {
      await store.unregister(key, instanceId);
      return true;
    }
    for (const parked of await store.register(key, instanceId)) await adopt(instanceId, parked);
    return true;
  }

  /** A signal that waited for the key; it stays unmatched when the instance cannot use it. */
  async function adopt(instanceId: string, parked: ParkedSignal): Promise<void> {
    const { event, by, reason } = decode<SignalBody>(parked.body);
    const { reply } = await deliver(instanceId, {
      event: { kind: 'signal', id: parked.signalId, event },
      ...(by === undefined ? {} : { by }),
      ...(reason === undefined ? {} : { reason }),
    });
    if (reply.status !== 'rejected') await store.unpark(parked.key, parked.signalId);
  }

  async function carry(
    items: readonly { readonly id: string; readonly body: string | null }[],
  ): Promise<void> {
    const tickets = items.filter(({ id }) => id.startsWith('a|')).map(({ id }) => readTicket(id));
    const messages = items
      .filter(({ body }) => body !== null)
      .map(({ id, body }) => carryOne(id, body ?? ''));
    const handed = tickets.length > 0 && dispatch !== undefined ? dispatch(tickets) : Promise.resolve();
    await Promise.all([handed, ...messages]);
  }

  return {
    push(items) {
      if (items.length === 0) return;
      const work = carry(items).catch((error: unknown) =>
        log.warn({ error: messageOf(error) }, 'relay failed'),
      );
      void track(work);
    },
    carry: (items) => track(carry(items)),
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

function cannotBegin(error: unknown): boolean {
  return isAppError(error, 'value-not-durable') || isAppError(error, 'machine-not-durable');
}

function eventOf(id: string, body: Message['body']): EngineEvent {
  if (body.kind !== 'start') return body;
  const parent = { instanceId: id.split('|')[1] ?? '', token: body.token, actorId: body.actorId };
  const { definition, input, rewound } = body;
  return { kind: 'start', definition, input, parent, ...(rewound && { rewound }) };
}

/** The activity an outbox entry names. */
export function readTicket(id: string): ActivityTicket {
  const [, instanceId, token, queue] = id.split('|');
  if (instanceId === undefined || token === undefined || queue === undefined) {
    throw new AppError('internal', `The outbox entry '${id}' is malformed.`);
  }
  return { instanceId, token, queue, outboxId: id };
}
