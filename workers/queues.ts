/**
 * BullMQ as carrier. A job says only which activity of which instance wants a worker; it is no record of anything. The
 * outbox entry behind it is, and whoever takes that entry owns the attempt, so a job lost or doubled costs nothing.
 */

import { type ConnectionOptions, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { ActivityTicket } from '../engine/index.ts';
import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { seldom } from '../shared/seldom.ts';

/** A job's data: ids only, since BullMQ keeps it in clear. */
export interface ActivityJob {
  readonly instanceId: string;
  readonly token: string;
  readonly queue: string;
  readonly outboxId: string;
}

export interface QueueOptions {
  readonly connection: ConnectionOptions;
  readonly namespace: string;
}

/** One hash tag a queue, so that all of its keys live on one node of a cluster. */
function prefixOf(namespace: string, queue: string): string {
  return `{${namespace}:q:${queue}}`;
}

const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

export interface Dispatcher {
  /** Puts fresh activities before the workers. */
  dispatch(tickets: readonly ActivityTicket[]): Promise<void>;
  /**
   * Puts activities before the workers that nobody has taken for a while. Those of a queue with a backlog are left
   * alone: they are waiting their turn.
   */
  redispatch(tickets: readonly ActivityTicket[]): Promise<void>;
  close(): Promise<void>;
}

function createDispatcher(
  options: QueueOptions & { readonly backlog: number; readonly log: Logger },
): Dispatcher {
  const queues = new Map<string, Queue<ActivityJob, void, string>>();
  const queueFor = (name: string): Queue<ActivityJob, void, string> => {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue<ActivityJob, void, string>(name, {
      connection: options.connection,
      prefix: prefixOf(options.namespace, name),
      defaultJobOptions: JOB_OPTIONS,
      // Nobody listens to them; BullMQ keeps ten thousand by default.
      streams: { events: { maxLen: 100 } },
      skipVersionCheck: true,
    });
    // Without a listener BullMQ writes to the console.
    queue.on('error', (error) => options.log.warn({ error: messageOf(error), queue: name }, 'queue trouble'));
    queues.set(name, queue);
    return queue;
  };

  async function add(
    tickets: readonly ActivityTicket[],
    jobId: (ticket: ActivityTicket) => string | undefined,
  ): Promise<void> {
    await Promise.all(
      tickets.map((ticket) => {
        const id = jobId(ticket);
        return queueFor(ticket.queue).add('activity', ticket, id === undefined ? {} : { jobId: id });
      }),
    );
  }

  return {
    dispatch: (tickets) => add(tickets, () => undefined),
    async redispatch(tickets) {
      const names = [...new Set(tickets.map(({ queue }) => queue))];
      const waiting = new Map(
        await Promise.all(names.map(async (name) => [name, await queueFor(name).getWaitingCount()] as const)),
      );
      const wanted = tickets.filter(({ queue }) => (waiting.get(queue) ?? 0) < options.backlog);
      // One waiting job an activity: BullMQ drops an id it already holds.
      await add(wanted, ({ instanceId, token }) => `again.${instanceId}.${token}`);
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}

/** Takes tickets of one queue. BullMQ's own worker is one. */
export interface Consumer {
  readonly name: string;
  isPaused(): boolean;
  /** Takes no more; with `true` it does not wait for what runs. */
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): void;
  close(force: boolean): Promise<void>;
}

/** What brings activities from the process that commits to one that works. */
export interface Carrier {
  readonly dispatcher: Dispatcher;
  consume(queue: string, process: (ticket: ActivityTicket) => Promise<void>): Consumer;
}

interface ConsumerOptions extends QueueOptions {
  readonly queue: string;
  readonly concurrency: number;
  readonly log: Logger;
  process(ticket: ActivityTicket): Promise<void>;
}

/** Takes jobs of one queue. An error in `process` never fails a job twice: what is owed stands in the outbox. */
function createConsumer(options: ConsumerOptions): Consumer {
  const worker = new Worker<ActivityJob, void, string>(
    options.queue,
    async (job) => {
      try {
        await options.process(job.data);
      } catch (error) {
        options.log.error({ error: messageOf(error), instanceId: job.data.instanceId }, 'activation failed');
        throw new UnrecoverableError(messageOf(error));
      }
    },
    {
      connection: options.connection,
      prefix: prefixOf(options.namespace, options.queue),
      concurrency: options.concurrency,
      lockDuration: 10_000,
      stalledInterval: 5_000,
      maxStalledCount: 1_000_000,
      skipVersionCheck: true,
    },
  );
  return restingOnTrouble(worker, options);
}

const REST_MS = 500;
const TOLD_EVERY_MS = 10_000;

/**
 * BullMQ asks again at once, thousands of times a second, a Redis that refuses (it is full, busy, has taken a right
 * away): a refusal is followed by a rest, and said once in a while.
 */
function restingOnTrouble(
  worker: Worker<ActivityJob, void, string>,
  { queue, log }: Pick<ConsumerOptions, 'queue' | 'log'>,
): Consumer {
  let held = false;
  let rest: NodeJS.Timeout | null = null;
  const tell = seldom(TOLD_EVERY_MS, (error: Error, count) =>
    log.warn({ error: messageOf(error), queue, count }, 'queue trouble'),
  );

  function endRest(): void {
    rest = null;
    if (!held) void worker.resume();
  }
  worker.on('error', (error) => {
    tell(error);
    if (rest !== null || held || error.name !== 'ReplyError') return;
    rest = setTimeout(endRest, REST_MS);
    void worker.pause(true);
  });
  return {
    name: worker.name,
    isPaused: () => held,
    pause(doNotWaitActive) {
      held = true;
      return worker.pause(doNotWaitActive);
    },
    resume() {
      held = false;
      if (rest === null) void worker.resume();
    },
    close(force) {
      held = true;
      if (rest !== null) clearTimeout(rest);
      return worker.close(force);
    },
  };
}

/**
 * Ends a paused consumer whose activations are over. By force, because BullMQ's own waiting has no end where a
 * connection was cut; what is left unacknowledged is only a job, and the outbox knows better.
 */
export async function closeConsumer(consumer: Consumer): Promise<void> {
  await consumer.close(true);
}

/** `concurrency` is per queue. */
export function createBullCarrier(
  options: QueueOptions & { readonly concurrency: number; readonly log: Logger },
): Carrier {
  const { connection, namespace, concurrency, log } = options;
  return {
    dispatcher: createDispatcher({ connection, namespace, backlog: concurrency * 2, log }),
    consume: (queue, process) => createConsumer({ connection, namespace, queue, concurrency, log, process }),
  };
}
