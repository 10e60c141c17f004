/**
 * Those who use the API: they send a command again, under the same id, until they are told what became of it, and hold the
 * engine to what they were told.
 */
import type { Client, InstanceView } from '../../engine/index.ts';
import { type AppError, isAppError } from '../../shared/errors.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { Judge } from './judge.ts';
import type { Process } from './process.ts';
import { expected, programmed, randomProgram, type Step } from './programs.ts';
import type { Weather } from './weather.ts';

export interface ApiProcess {
  readonly process: Process;
  readonly client: Client;
}

export interface UserOptions {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly judge: Judge;
  apis(): readonly ApiProcess[];
}

export interface Users {
  /** One customer's case from start to finish. */
  play(name: string): Promise<void>;
  /** Staff: resume what is paused, try again what gave up. Ends when everything is over. */
  tidy(): Promise<void>;
  /** What the finished instances left, against what their programs say. */
  compare(): Promise<void>;
}

interface Answer<Value> {
  readonly value: Value | null;
  readonly error: AppError | null;
  /** Asked once, of one process. */
  readonly first: boolean;
}

/** What another try may mend: the store is away, or the instance is only about to be started. */
const MAY_PASS: ReadonlySet<string> = new Set(['store-unavailable', 'commit-refused', 'instance-unknown']);
const PATIENCE_MS = 2_500;
const PAUSE_MS = 400;

export function createUsers({ agenda, chance, weather, judge, apis }: UserOptions): Users {
  const programs = new Map<string, readonly Step[]>();
  const abandoned = new Set<string>();
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void agenda.in(ms, 'user', resolve));

  /** One call to one API process; rejects when it fails or nobody answers. */
  function call<Value>(api: ApiProcess, run: (client: Client) => Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const giveUp = agenda.in(PATIENCE_MS, 'user gave up', () => reject(new Error('no answer')));
      api.process.in(chance.int(5), `${api.process.id} request`, () => {
        run(api.client)
          .then((value) => {
            giveUp();
            resolve(value);
          })
          .catch((error: unknown) => {
            giveUp();
            reject(error instanceof Error ? error : new Error(String(error)));
          });
      });
    });
  }

  /** Until there is an answer; what the engine refuses on purpose is one. */
  async function ask<Value>(run: (client: Client) => Promise<Value>): Promise<Answer<Value>> {
    for (let fresh = true; ; fresh = false) {
      const running = apis();
      if (running.length === 0) {
        await sleep(chance.int(PAUSE_MS));
        continue;
      }
      const api = chance.pick(running);
      const doubled = weather.strikes('call-doubled');
      if (doubled) call(chance.pick(running), run).catch(() => undefined);
      const first = fresh && !doubled;
      try {
        return { value: await call(api, run), error: null, first };
      } catch (error) {
        if (isAppError(error) && !MAY_PASS.has(error.code)) return { value: null, error, first };
        await sleep(chance.int(PAUSE_MS));
      }
    }
  }

  async function signal(id: string, type: string, payload: object, signalId: string): Promise<void> {
    const { value, error, first } = await ask((client) =>
      client.signalById(id, type, payload, { id: signalId }),
    );
    if (error !== null) judge.accuse(`${id}: signal ${signalId} was refused: ${error.message}`);
    if (value?.status === 'duplicate' && first)
      judge.accuse(`${id}: signal ${signalId} was sent once and called a duplicate`);
    if (value?.status === 'applied' || value?.status === 'deferred')
      judge.accepted({ instanceId: id, signalId });
  }

  async function poke(id: string): Promise<void> {
    for (let time = chance.int(3); time > 0; time -= 1) {
      await sleep(chance.int(700));
      const signalId = `poke-${id}-${time}`;
      const payload = {};
      if (chance.happens(0.5)) await signal(id, 'poke', payload, signalId);
      else {
        const key = `case:${id}`;
        const { value } = await ask((client) => client.signalByKey(key, 'poke', payload, { id: signalId }));
        if (['applied', 'deferred', 'unmatched'].includes(value?.status ?? ''))
          judge.acceptedByKey(id, signalId);
      }
    }
  }

  /** Each signal is sent when the one before is accepted: then their order is known. */
  async function goOn(id: string, program: readonly Step[]): Promise<void> {
    let k = 0;
    for (const step of program) {
      if (step.do === 'race' && chance.happens(0.6)) {
        await sleep(chance.int(600));
        await signal(id, 'maybe', {}, `maybe-${agenda.now()}`);
      }
      if (step.do !== 'wait') continue;
      k += 1;
      await sleep(chance.int(400));
      await signal(id, 'go', { k }, `go-${k}`);
    }
  }

  /** Nobody else does it to this instance, so the first to ask cannot be too late. */
  async function operate(id: string, what: 'pause' | 'resume'): Promise<void> {
    const { error, first } = await ask((client) => client[what](id));
    if (error === null) judge.accepted({ instanceId: id, kind: what });
    else if (first && error.code === 'operation-impossible')
      judge.accuse(`${id}: ${what} was asked for once and refused: ${error.message}`);
  }

  async function interfere(id: string): Promise<void> {
    if (chance.happens(0.25)) {
      await sleep(chance.int(700));
      await operate(id, 'pause');
      await sleep(chance.int(700));
      await operate(id, 'resume');
    }
    if (!chance.happens(0.15)) return;
    await sleep(chance.int(1_000));
    const force = chance.happens(0.3);
    abandoned.add(id);
    const { error } = await ask((client) => client.cancel(id, { force }));
    if (error === null) judge.accepted({ instanceId: id, kind: 'cancel' });
  }

  /** True when there is nothing left to do for it. */
  async function attend(id: string, view: InstanceView | null): Promise<boolean> {
    if (view === null) return false;
    if (view.status === 'paused') await ask((client) => client.resume(id));
    else if (view.status !== 'running') return true;
    else if (view.attention?.code === 'activity-exhausted') await ask((client) => client.retry(id));
    else if (view.attention !== null) judge.accuse(`${id}: ${view.attention.code} ${view.attention.message}`);
    return false;
  }

  return {
    async play(name) {
      const program = randomProgram(chance);
      programs.set(name, program);
      await sleep(chance.int(200));
      const early = poke(name);
      const start = (client: Client) =>
        client.start(programmed, { name, program }, { id: name, ifExists: 'return' });
      const { value, error, first } = await ask(start);
      if (error !== null) judge.accuse(`${name}: the start was refused: ${error.message}`);
      if (value?.created === false && first)
        judge.accuse(`${name}: was started once and told it was there already`);
      judge.accepted({ instanceId: name, kind: 'start' });
      await Promise.all([early, goOn(name, program), interfere(name)]);
    },
    async tidy() {
      for (let over = false; !over; await sleep(over ? 0 : 900)) {
        const ids = judge.instances();
        const closed = await Promise.all(
          ids.map(async (id) => attend(id, (await ask((client) => client.describe(id))).value)),
        );
        over = closed.every(Boolean) && ids.length === judge.instances().length;
      }
    },
    async compare() {
      for (const [name, program] of programs) {
        const { value: view } = await ask((client) => client.describe(name));
        if (view === null) continue;
        const problem = compareOne(view, program, abandoned.has(name));
        if (problem !== null) judge.accuse(`${name}: ${problem}`);
      }
    },
  };
}

function compareOne(view: InstanceView, program: readonly Step[], mayBeAbandoned: boolean): string | null {
  const { trail: wanted, told } = expected(program);
  const { trail, told: heard } = view.context as { trail: readonly unknown[]; told: readonly number[] };
  const full = trail.length === wanted.length && view.state === 'done';
  if (!full && !mayBeAbandoned)
    return `ended in ${JSON.stringify(view.state)} after ${JSON.stringify(trail)}`;
  for (const [at, entry] of trail.entries()) {
    const want = wanted[at];
    const fits =
      want === null
        ? ['maybe', 'timeout'].includes(String(entry))
        : JSON.stringify(entry) === JSON.stringify(want);
    if (!fits) return `step ${at} gave ${JSON.stringify(entry)}, not ${JSON.stringify(want)}`;
  }
  const inOrder = heard.every((n, at) => n === told[at]);
  return inOrder && (!full || heard.length === told.length) ? null : `heard ${heard}, not ${told}`;
}
