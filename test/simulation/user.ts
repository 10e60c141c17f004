/**
 * Those who use the API: they send a command again, under the same id, until they are told what became of it, and hold the
 * engine to what they were told.
 */
import type { Client, InstanceView } from '../../engine/index.ts';
import type { Agenda } from './agenda.ts';
import type { ApiProcess, Calls } from './calls.ts';
import type { Chance } from './chance.ts';
import type { Judge } from './judge.ts';
import { expected, isFork, isRoot, nameIn, originOf, randomProgram, type Step } from './programs.ts';
import type { Twists } from './twists.ts';

export interface UserOptions {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly judge: Judge;
  readonly twists: Twists;
  readonly calls: Calls;
}

export interface Users {
  /** One customer's case from start to finish. */
  play(name: string): Promise<void>;
  /** Staff: resume what is paused, try again what gave up. Ends when everything is over. */
  tidy(): Promise<void>;
  /** What the finished instances left, against what their programs say. */
  compare(): Promise<void>;
}

export function createUsers({ agenda, chance, judge, twists, calls }: UserOptions): Users {
  const { ask, sleep } = calls;
  const programs = new Map<string, readonly Step[]>();
  const abandoned = new Set<string>();
  /** Notes that were accepted, by instance. */
  const notes = new Map<string, number[]>();

  async function signal(id: string, type: string, payload: object, signalId: string): Promise<boolean> {
    const { value, error, first } = await ask((client) =>
      client.signalById(id, type, payload, { id: signalId }),
    );
    if (error !== null) judge.accuse(`${id}: signal ${signalId} was refused: ${error.message}`);
    if (value?.status === 'duplicate' && first)
      judge.accuse(`${id}: signal ${signalId} was sent once and called a duplicate`);
    const kept = value?.status === 'applied' || value?.status === 'deferred';
    if (kept) judge.accepted({ instanceId: id, signalId });
    return kept;
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

  async function note(id: string): Promise<void> {
    const kept: number[] = [];
    notes.set(id, kept);
    for (let n = twists.migrates ? chance.int(4) : 0; n > 0; n -= 1) {
      await sleep(chance.int(700));
      if (await signal(id, 'note', { n }, `note-${n}`)) kept.push(n);
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

  /** Unless staff take a hand, nobody else does it to this instance, and the first to ask cannot be too late. */
  async function operate(id: string, what: 'pause' | 'resume'): Promise<void> {
    const { error, first } = await ask((client) => client[what](id));
    if (error === null) judge.accepted({ instanceId: id, kind: what });
    else if (!twists.operates && first && error.code === 'operation-impossible')
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

  /** A fork has nobody else who knows what it waits for. */
  async function goOnFrom(id: string, { context }: InstanceView): Promise<void> {
    const { trail } = context as { trail: readonly unknown[] };
    const k = 1 + trail.filter((entry) => /^go /.test(String(entry))).length;
    await signal(id, 'go', { k }, `go-on-${k}`);
  }

  /** True when there is nothing left to do for it. */
  async function attend(id: string, view: InstanceView | null): Promise<boolean> {
    if (view === null) return false;
    if (view.status === 'paused') await ask((client) => client.resume(id));
    else if (view.status !== 'running') return true;
    else if (view.attention?.code === 'activity-exhausted') await ask((client) => client.retry(id));
    else if (isFork(id) && view.state === nameIn(view.version, 'waiting')) await goOnFrom(id, view);
    else if (view.attention !== null) judge.accuse(`${id}: ${view.attention.code} ${view.attention.message}`);
    return false;
  }

  return {
    async play(name) {
      const program = randomProgram(chance);
      programs.set(name, program);
      await sleep(chance.int(200));
      const early = poke(name);
      const start = (client: Client, { newest }: ApiProcess) =>
        client.start(newest, { name, program }, { id: name, ifExists: 'return' });
      const { value, error, first } = await ask(start);
      if (error !== null) judge.accuse(`${name}: the start was refused: ${error.message}`);
      if (value?.created === false && first)
        judge.accuse(`${name}: was started once and told it was there already`);
      judge.accepted({ instanceId: name, kind: 'start' });
      await Promise.all([early, goOn(name, program), interfere(name), note(name)]);
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
      for (const id of judge.instances().filter(isRoot)) {
        const { value: view } = await ask((client) => client.describe(id));
        if (view === null) continue;
        const name = originOf(id);
        const problem = compareOne(view, programs.get(name) ?? [], {
          mayBeAbandoned: abandoned.has(name),
          mayTellAgain: twists.operates,
          notes: notes.get(id) ?? [],
        });
        if (problem !== null) judge.accuse(`${id}: ${problem}`);
      }
    },
  };
}

/** What the run of this instance may have come to. */
interface Allowed {
  readonly mayBeAbandoned: boolean;
  /** Staff may begin a step anew, and its child with it. */
  readonly mayTellAgain: boolean;
  /** It must have taken these, or still keep them. */
  readonly notes: readonly number[];
}

interface Ended {
  readonly trail: readonly unknown[];
  readonly told: readonly number[];
  readonly noted: readonly number[];
}

function compareOne(view: InstanceView, program: readonly Step[], allowed: Allowed): string | null {
  const { trail: wanted, told } = expected(program);
  const { trail, told: heard, noted } = view.context as Ended;
  const full = trail.length === wanted.length && view.state === 'done';
  if (!full && !allowed.mayBeAbandoned)
    return `ended in ${JSON.stringify(view.state)} after ${JSON.stringify(trail)}`;
  for (const [at, entry] of trail.entries()) {
    const want = wanted[at];
    const fits =
      want === null
        ? ['maybe', 'timeout'].includes(String(entry))
        : JSON.stringify(entry) === JSON.stringify(want);
    if (!fits) return `step ${at} gave ${JSON.stringify(entry)}, not ${JSON.stringify(want)}`;
  }
  const kept = view.deferred.filter(({ event }) => event === 'note').length;
  if (new Set(noted).size < noted.length || noted.length + kept < allowed.notes.length)
    return `took the notes ${noted} and keeps ${kept}, where ${allowed.notes} were accepted`;
  if (allowed.mayTellAgain) return null;
  const inOrder = heard.every((n, at) => n === told[at]);
  return inOrder && (!full || heard.length === told.length) ? null : `heard ${heard}, not ${told}`;
}
