/** What the pure half refuses, counts and puts off, looked at one rule at a time. */
import { describe, expect, it } from '@jest/globals';
import { assign, fromPromise, raise, setup } from 'xstate';
import {
  type AnyWorkflow,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
} from '../../engine/index.ts';
import { afterFailure } from '../../engine/retry.ts';
import { INBOX_LIMIT } from '../../engine/step.ts';
import { silentLogger } from '../../shared/logger.ts';
import { engineBench } from '../support/engine-bench.ts';
import { listener, oneAct } from '../support/engine-workflows.ts';

type Event = Parameters<ReturnType<typeof engineBench>['engine']['handle']>[1] extends infer Given
  ? Extract<Given, { event: unknown }>['event']
  : never;

function engineOf(workflow: AnyWorkflow) {
  let now = 1_800_000_000_000;
  const store = createMemoryStore({ now: () => now });
  const engine = createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() });
  const record = async () => {
    const open = await engine.open('one');
    if (open === null) throw new Error('no instance');
    return open.record;
  };
  return {
    client: createClient(engine),
    engine,
    record,
    tell: async (event: Event) => (await engine.handle('one', { event })).reply.status,
    activity: async () => Object.values((await record()).activities)[0],
    /** What a worker could take now. */
    handedOut: async () => (await store.dueOutbox(0, 10, 0)).map(({ id }) => id),
    async later(ms: number) {
      now += ms;
      for (const { token } of (await store.dueTimers(0, 10, 0)).timers)
        await engine.handle('one', { event: { kind: 'timer.fired', token } });
    },
  };
}

const failing = (attempt: number, kind: 'retryable' | 'unknown'): Event => ({
  kind: 'activity.failed',
  token: '1-0',
  attempt,
  jitter: 0,
  failure: { kind, code: 'busy', message: 'busy' },
});

describe('messages between instances', () => {
  const hearing = setup({
    types: { context: {} as { heard: number[] } },
    actors: { kid: setup({}).createMachine({ on: { bye: {} } }) },
    actions: {
      hear: assign({
        heard: ({ context, event }) => [...context.heard, (event as never as { n: number }).n],
      }),
    },
  }).createMachine({
    context: { heard: [] },
    invoke: { id: 'kid', src: 'kid' },
    on: { hello: { actions: 'hear' } },
  });
  const hello = (n: number) => ({ type: 'hello', n });

  it.each<[string, (seq: number) => Event]>([
    ['a peer', (seq) => ({ kind: 'peer.message', from: 'other', seq, event: hello(seq) })],
    ['a child', (seq) => ({ kind: 'child.message', token: '1-0', seq, event: hello(seq) })],
    ['the parent', (seq) => ({ kind: 'parent.message', seq, event: hello(seq) })],
  ])('of %s count once and in their order', async (_whose, message) => {
    const { engine } = engineBench(hearing);
    const parent = { instanceId: 'above', token: '1-0', actorId: 'one' };
    await engine.handle('one', { event: { kind: 'start', definition: 'bench@1', input: null, parent } });
    const replies: string[] = [];
    for (const seq of [2, 1, 1, 2, 1, 3])
      replies.push((await engine.handle('one', { event: message(seq) })).reply.status);

    expect(replies).toEqual(['early', 'applied', 'stale', 'applied', 'stale', 'applied']);
    expect((await engine.open('one'))?.record.machine.context).toEqual({ heard: [1, 2, 3] });
  });
});

describe('an activity of a paused instance', () => {
  const failed = (attempt: number) => failing(attempt, 'retryable');

  it('that falls due for another try waits for the resume, and is handed out then', async () => {
    const { client, tell, later, activity, handedOut } = engineOf(oneAct({ run: async () => 1 }).workflow);
    await client.start(oneAct({ run: async () => 1 }).workflow, null, { id: 'one' });
    expect(await handedOut()).toEqual(['a|one|1-0|default']);
    await tell(failed(1));
    expect(await handedOut()).toEqual([]);

    await client.pause('one');
    await later(60_000);
    expect(await activity()).toMatchObject({ phase: 'held', attempt: 2 });
    expect(await handedOut()).toEqual([]);

    await client.resume('one');
    expect(await activity()).toMatchObject({ phase: 'open', attempt: 2 });
    expect(await handedOut()).toEqual(['a|one|1-0|default']);
  });

  it('that is retried by hand is handed out at the resume, not before', async () => {
    const { workflow } = oneAct({ run: async () => 1 });
    const { client, tell, activity, handedOut, record } = engineOf(workflow);
    await client.start(workflow, null, { id: 'one' });
    await tell(failed(1));
    await client.pause('one');

    await client.retry('one');

    expect((await record()).timers).toEqual({});
    expect(await handedOut()).toEqual([]);
    await client.resume('one');
    expect(await activity()).toMatchObject({ phase: 'open' });
    expect(await handedOut()).toEqual(['a|one|1-0|default']);
  });

  it('may end: its result waits, and counts once', async () => {
    const { workflow } = oneAct({ run: async () => 1 });
    const { client, tell } = engineOf(workflow);
    await client.start(workflow, null, { id: 'one' });
    await client.pause('one');
    const done = { kind: 'activity.done', token: '1-0', attempt: 1, output: 'late' } as const;

    expect([await tell(done), await tell(done)]).toEqual(['applied', 'stale']);
    expect(await client.resume('one')).toMatchObject({ status: 'completed', output: 'late' });
  });

  it('leaves nothing behind where its result means nothing to the machine', async () => {
    const work = fromPromise(async () => 0);
    const bench = engineBench(
      setup({ actors: { work } }).createMachine({ invoke: { id: 'w', src: 'work' }, on: { go: {} } }),
    );
    await bench.start();
    await bench.client.pause('one');
    await bench.finish('one', 1);
    expect((await bench.see('one')).deferred).toHaveLength(1);

    expect(await bench.client.resume('one')).toMatchObject({ deferred: [] });
  });
});

describe('an activity that gave up', () => {
  it('counts no answer twice, begins a fresh budget by hand, and is no place for a late result', async () => {
    const { workflow } = oneAct({
      run: async () => 1,
      retry: { maxAttempts: 2, whenExhausted: 'attention' },
    });
    const { client, tell, later, activity } = engineOf(workflow);
    await client.start(workflow, null, { id: 'one' });
    const fail = (attempt: number, kind: 'retryable' | 'unknown') => tell(failing(attempt, kind));

    await fail(1, 'unknown');
    expect(await activity()).toMatchObject({ phase: 'waiting-retry', answers: 0, unverified: true });
    await later(60_000);
    await fail(2, 'retryable');
    expect(await activity()).toMatchObject({ phase: 'attention', answers: 1, unverified: false });
    expect(await tell({ kind: 'activity.done', token: '1-0', attempt: 3, output: 1 })).toBe('stale');

    expect(await client.retry('one')).toMatchObject({ attention: null });
    await fail(3, 'retryable');
    expect(await activity()).toMatchObject({ phase: 'waiting-retry', attempt: 4 });
  });

  it('stays before a person when another one ends', async () => {
    const work = fromPromise(async () => 0);
    const bench = engineBench(
      setup({ actors: { work } }).createMachine({
        type: 'parallel',
        states: {
          a: { invoke: { id: 'a', src: 'work' } },
          b: { initial: 'on', states: { on: { invoke: { id: 'b', src: 'work', onDone: 'off' } }, off: {} } },
        },
      }),
    );
    await bench.start();
    const [token = ''] = Object.keys((await bench.record('one')).activities);
    // A failure nobody foresaw, after which a plain actor of XState's is out of attempts.
    for (let attempt = 1; (await bench.see('one')).attention === null && attempt < 20; attempt += 1) {
      const failure = { kind: 'unknown', code: 'gone', message: 'gone' } as const;
      await bench.engine.handle('one', {
        event: { kind: 'activity.failed', token, attempt, failure, jitter: 0 },
      });
      await bench.pass(3_600_000);
    }

    const after = await bench.finish('one', 1, 'b');

    expect(after).toMatchObject({
      state: { a: {}, b: 'off' },
      attention: { code: 'activity-exhausted', token },
    });
  });
});

describe('after a failure', () => {
  const policy = {
    ...{ maxAttempts: 3, initialDelayMs: 100, factor: 2, maxDelayMs: 150, jitter: 0.5 },
    ...{ nonRetryable: ['no-use'], whenExhausted: 'attention' as const },
  };
  const busy = { kind: 'retryable', code: 'busy', message: '' } as const;

  it.each([
    ['the first is tried again after the first delay', 1, busy, 0, { next: 'retry', delayMs: 100 }],
    ['the delay grows as far as its cap', 2, busy, 0, { next: 'retry', delayMs: 150 }],
    ['jitter makes it shorter', 1, busy, 1, { next: 'retry', delayMs: 50 }],
    ['the last attempt is the last', 3, busy, 0, { next: 'attention' }],
    ['a code of no use is an answer', 1, { ...busy, code: 'no-use' }, 0, { next: 'error' }],
    ['a terminal one is an answer', 1, { ...busy, kind: 'terminal' as const }, 0, { next: 'error' }],
    ['a wish is heeded', 1, { ...busy, retryAfterMs: 4_000 }, 0, { next: 'retry', delayMs: 4_000 }],
    [
      'as far as a quarter of an hour',
      1,
      { ...busy, retryAfterMs: 1e9 },
      0,
      { next: 'retry', delayMs: 900_000 },
    ],
    [
      'a wish that is no number is none',
      ...([1, { ...busy, retryAfterMs: Number.NaN }, 0, { next: 'retry', delayMs: 100 }] as const),
    ],
  ])('%s', (_what, attempt, failure, jitter, decision) => {
    expect(afterFailure(policy, attempt, failure, jitter)).toEqual(decision);
  });
});

describe('signals', () => {
  const start = async () => {
    const workflow = listener();
    const engine = engineOf(workflow);
    await engine.client.start(workflow, { customer: 'contoso' }, { id: 'one' });
    return {
      ...engine,
      signal: (type: string, payload = {}) => engine.client.signalById('one', type, payload),
    };
  };

  it('that cannot be taken are kept in the order they came', async () => {
    const { signal } = await start();
    for (const text of ['a', 'b', 'c']) expect((await signal('word', { text })).status).toBe('deferred');
    expect((await signal('open')).instance).toMatchObject({ context: { heard: ['a', 'b', 'c'] } });
  });

  it('wait while the instance is paused, also those it could take', async () => {
    const { signal, client } = await start();
    await signal('open');
    await client.pause('one');

    expect(await signal('word', { text: 'a' })).toMatchObject({ status: 'deferred' });
    expect(await client.describe('one')).toMatchObject({
      context: { heard: [] },
      deferred: [{ event: 'word' }],
    });
    expect(await client.resume('one')).toMatchObject({ context: { heard: ['a'] }, deferred: [] });
  });

  it('are told when they went into quarantine, and a person may dismiss them for good', async () => {
    const workflow = listener({ now: false });
    const { client } = engineOf(workflow);
    await client.start(workflow, { customer: 'contoso' }, { id: 'one' });
    await client.signalById('one', 'open', {});

    expect(await client.signalById('one', 'break', { text: 'x' })).toMatchObject({
      ...{ status: 'deferred', detail: 'quarantined' },
    });
    expect(await client.operate('one', { kind: 'dismiss-attention' })).toMatchObject({
      ...{ attention: null, quarantine: [] },
    });
  });

  it('are refused once so many wait', async () => {
    const { signal, engine } = await start();
    const open = await engine.open('one');
    if (open === null) throw new Error('no instance');
    const item = { signalId: 's', event: { type: 'word', text: '' }, at: 0, by: undefined };
    const inbox = (length: number) => Array.from({ length }, () => item);
    const offered = (length: number) =>
      engine.handle(
        'one',
        { event: { kind: 'signal', id: 'new', event: { type: 'word', text: 'x' } } },
        { open: { ...open, record: { ...open.record, revision: 1, inbox: inbox(length) } } },
      );

    await expect(offered(INBOX_LIMIT)).rejects.toMatchObject({ code: 'signal-overflow' });
    expect((await offered(INBOX_LIMIT - 1)).reply.status).toBe('deferred');
    await expect(signal('word', { text: 'y' })).rejects.toMatchObject({ code: 'signal-overflow' });
  });

  it('are refused once so many went into quarantine; what the machine can take, it still takes', async () => {
    const workflow = listener({ now: false });
    const { client, engine } = engineOf(workflow);
    await client.start(workflow, { customer: 'contoso' }, { id: 'one' });
    await client.signalById('one', 'open', {});
    const open = await engine.open('one');
    if (open === null) throw new Error('no instance');
    const broken = { event: { type: 'break', text: '' }, error: { name: 'Error', message: '' }, at: 0 };
    const offered = (type: string, length: number, revision: number) => {
      const quarantine = Array.from({ length }, () => broken);
      return engine.handle(
        'one',
        { event: { kind: 'signal', id: `${type}-${length}`, event: { type, text: 'x' } } },
        { open: { ...open, record: { ...open.record, revision, quarantine } } },
      );
    };

    await expect(offered('break', INBOX_LIMIT, 2)).rejects.toMatchObject({ code: 'signal-overflow' });
    expect((await offered('word', INBOX_LIMIT, 2)).reply.status).toBe('applied');
    expect((await offered('break', INBOX_LIMIT - 1, 3)).reply).toMatchObject({ detail: 'quarantined' });
  });
});

describe('an instance', () => {
  it('lets go of its correlation keys when it ends', async () => {
    const workflow = listener();
    const { client, engine } = engineOf(workflow);
    await client.start(workflow, { customer: 'contoso' }, { id: 'one' });
    await engine.settled();
    const holders = async () => (await client.list({ key: 'tenant:contoso' })).items.map(({ id }) => id);
    expect(await holders()).toEqual(['one']);

    await client.signalById('one', 'open', {});
    expect((await client.signalById('one', 'close', {})).instance).toMatchObject({
      status: 'completed',
      keys: [],
    });
    await engine.settled();

    expect(await holders()).toEqual([]);
  });

  it('is in its state since it came there, not since the last event', async () => {
    const bench = engineBench(
      setup({}).createMachine({
        ...{ context: { n: 0 }, initial: 'a' },
        states: { a: { on: { stay: { actions: assign({ n: 1 }) }, go: 'b' } }, b: { on: { stay: {} } } },
      }),
    );
    const { stateSince } = await bench.start();
    await bench.pass(1_000);
    expect((await bench.send('one', 'stay')).stateSince).toBe(stateSince);
    expect((await bench.send('one', 'go')).stateSince).toBe(stateSince + 1_000);
  });

  it('has a way forward while a child or a timer of it is there, and none after', async () => {
    const kid = setup({}).createMachine({
      initial: 'a',
      states: { a: { on: { end: 'b' } }, b: { type: 'final' } },
    });
    const parent = engineBench(
      setup({ actors: { kid } }).createMachine({ invoke: { id: 'kid', src: 'kid' } }),
    );
    const started = await parent.start();
    expect(started.attention).toBeNull();
    await parent.send(started.children[0]?.instanceId ?? '', 'end');
    expect(await parent.see('one')).toMatchObject({ attention: { code: 'no-way-forward' } });

    const sender = engineBench(
      setup({}).createMachine({ entry: raise({ type: 'unheard' }, { delay: 1_000 }) }),
    );
    expect((await sender.start()).attention).toBeNull();
    await sender.pass(1_000);
    expect(await sender.see('one')).toMatchObject({ attention: { code: 'no-way-forward' } });
  });

  it('hands out nothing that it has stopped again in the same step', async () => {
    const work = fromPromise(async () => 0);
    const bench = engineBench(
      setup({ actors: { work } }).createMachine({
        initial: 'passing',
        states: { passing: { invoke: { id: 'w', src: 'work' }, always: 'there' }, there: { on: { go: {} } } },
      }),
    );

    expect((await bench.start()).activities).toEqual([]);
    expect(await bench.engine.store.dueOutbox(0, 10, 0)).toEqual([]);
  });

  it('is asked once to cancel itself, however often staff ask while it cannot', async () => {
    const bench = engineBench(
      setup({}).createMachine({
        initial: 'busy',
        states: { busy: { on: { free: 'idle' } }, idle: { on: { stop: 'over' } }, over: { type: 'final' } },
      }),
      { cancelEvent: 'stop' } as never,
    );
    await bench.start();

    expect((await bench.client.cancel('one')).status).toBe('deferred');
    await expect(bench.client.cancel('one')).rejects.toThrow(/already asked/);
    expect(await bench.send('one', 'free')).toMatchObject({ status: 'completed', deferred: [] });
  });
});

describe('a timer', () => {
  it('brought before its time by a wrong clock does nothing', async () => {
    const bench = engineBench(
      setup({}).createMachine({
        initial: 'a',
        states: { a: { after: { 1000: 'b' } }, b: { on: { go: 'a' } } },
      }),
    );
    const [timer] = (await bench.start()).timers;
    const event = { kind: 'timer.fired', token: timer?.token ?? '' } as const;
    await bench.pass(999);

    expect((await bench.engine.handle('one', { event })).reply.status).toBe('early');
    expect(await bench.see('one')).toMatchObject({ state: 'a', revision: 1 });
  });

  it('set in the tenth revision fires behind one of the ninth that is due with it', async () => {
    const machine = setup({
      types: { context: {} as { n: number; fired: number[] } },
      actions: {
        fire: assign({
          fired: ({ context, event }) => [...context.fired, (event as never as { n: number }).n],
        }),
      },
    }).createMachine({
      context: { n: 0, fired: [] },
      on: {
        set: {
          actions: [
            assign({ n: ({ context }) => context.n + 1 }),
            raise(({ context }) => ({ type: 'fire', n: context.n }) as never, { delay: 1_000 }),
          ],
        },
        fire: { actions: 'fire' },
      },
    } as never);
    const workflow = defineWorkflow({ name: 'timers', machine: machine as never }) as AnyWorkflow;
    const { client, later } = engineOf(workflow);
    await client.start(workflow, undefined as never, { id: 'one' });
    for (let n = 0; n < 10; n += 1) await client.signalById('one', 'set', {});

    await later(1_000);

    expect((await client.describe('one'))?.context).toMatchObject({ fired: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
  });
});

describe('a sealed secret', () => {
  it('goes to one of those who ask at once', async () => {
    const { workflow } = oneAct({ run: async () => null });
    const { client, engine } = engineOf(workflow as AnyWorkflow);
    await client.start(workflow, undefined as never, { id: 'one' });
    const done = { kind: 'activity.done', token: '1-0', attempt: 1, output: null } as const;
    await engine.handle('one', { event: done }, { secrets: { set: [['password', 'sealed']], drop: [] } });

    const asked = await Promise.allSettled(
      Array.from({ length: 4 }, () => client.takeSecret('one', 'password')),
    );

    const taken = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const refused = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(taken).toEqual(['sealed']);
    expect(refused).toEqual(Array(3).fill(expect.objectContaining({ code: 'secret-unknown' })));
  });
});
