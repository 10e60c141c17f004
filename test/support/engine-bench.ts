/** An engine in memory with a clock of its own, for tests that look at one behaviour at a time. */
import {
  type AnyWorkflow,
  type Client,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
  type Engine,
  type InstanceView,
} from '../../engine/index.ts';
import type { InstanceRecord } from '../../engine/record.ts';
import { silentLogger } from '../../shared/logger.ts';

export interface EngineBench {
  readonly engine: Engine;
  readonly client: Client;
  readonly workflow: AnyWorkflow;
  start(input?: unknown, id?: string): Promise<InstanceView>;
  /** A signal, and everything it sets off. */
  send(id: string, type: string, payload?: object): Promise<InstanceView>;
  /** Ends the oldest open activity (of that actor id) with a result. */
  finish(id: string, output: unknown, actorId?: string): Promise<InstanceView>;
  fail(id: string, error: unknown, actorId?: string): Promise<InstanceView>;
  /** Lets time go by and fires what falls due. */
  pass(ms: number): Promise<void>;
  see(id: string): Promise<InstanceView>;
  record(id: string): Promise<InstanceRecord>;
}

export function engineBench(
  machine: object,
  options: Omit<Parameters<typeof defineWorkflow>[0], 'name' | 'machine'> = {},
): EngineBench {
  let now = 1_800_000_000_000;
  const workflow = defineWorkflow({
    name: 'bench',
    machine: machine as never,
    ...options,
  } as never) as AnyWorkflow;
  const store = createMemoryStore({ now: () => now });
  const engine = createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() });
  const client = createClient(engine);

  const see = async (id: string): Promise<InstanceView> => {
    const view = await client.describe(id);
    if (view === null) throw new Error(`no instance ${id}`);
    return view;
  };
  const record = async (id: string): Promise<InstanceRecord> => {
    const open = await engine.open(id);
    if (open === null) throw new Error(`no instance ${id}`);
    return open.record;
  };
  const oldest = async (id: string, actorId: string | undefined) => {
    const found = Object.entries((await record(id)).activities).find(
      ([, activity]) => actorId === undefined || activity.actorId === actorId,
    );
    if (found === undefined) throw new Error(`no open activity of ${id}`);
    return { token: found[0], attempt: found[1].attempt };
  };

  return {
    engine,
    client,
    workflow,
    see,
    record,
    async start(input, id = 'one') {
      await client.start(workflow, input as never, { id });
      await engine.settled();
      return see(id);
    },
    async send(id, type, payload = {}) {
      await client.signalById(id, type, payload);
      await engine.settled();
      return see(id);
    },
    async finish(id, output, actorId) {
      await engine.handle(id, { event: { kind: 'activity.done', ...(await oldest(id, actorId)), output } });
      await engine.settled();
      return see(id);
    },
    async fail(id, error, actorId) {
      const failure = { kind: 'terminal', code: 'failed', message: 'failed', raw: error } as const;
      await engine.handle(id, {
        event: { kind: 'activity.failed', ...(await oldest(id, actorId)), failure, jitter: 0 },
      });
      await engine.settled();
      return see(id);
    },
    async pass(ms) {
      const until = now + ms;
      for (;;) {
        const { timers, nextDue } = await store.dueTimers(0, 1, 3_600_000);
        for (const { instanceId, token } of timers) {
          await engine.handle(instanceId, { event: { kind: 'timer.fired', token } });
          await engine.settled();
        }
        if (timers.length > 0) continue;
        if (nextDue === null || nextDue > until) break;
        now = Math.max(now, nextDue);
      }
      now = until;
    },
  };
}
