/**
 * The commit script as the in-memory store would run it: `group-commit.ts` speaks to it in the words of `commit.lua`, lane
 * by lane. What the script checks and answers beyond that is proved on Redis itself (test/contract).
 */
import type { CommitEntry, CommitReply } from '../../engine/store.ts';

type Words = readonly (string | number)[];

/** An entry in the making. */
type Draft = {
  secrets: { set: [string, string][]; drop: string[] };
  timers: { set: [string, number][]; clear: string[] };
  outbox: { add: { id: string; delayMs: number; body: string | null }[]; drop: string[] };
  claims: { add: { token: string; worker: string }[]; drop: string[] };
  forget: string[];
  indexes: { score: number; add: string[]; drop: string[] };
  signal: CommitEntry['signal'];
  wake: boolean;
  remove: boolean;
};

const FIRST_ENTRY = 7;

export type RunCommitScript = (client: string, args: Words) => Promise<string>;

/** `apply` is called for each entry of a batch before anything else happens. */
export function commitScript(
  now: () => number,
  apply: (entry: CommitEntry) => Promise<CommitReply>,
  /** False is a planted fault. */
  remembers: boolean,
): RunCommitScript {
  const last = new Map<string, { readonly counter: number; readonly reply: Promise<string> }>();
  return async (client, args) => {
    const [, counter = 0, , , , answered = 0, hereUntil = 0] = args.slice(0, FIRST_ENTRY).map(Number);
    const known = last.get(client);
    if (known?.counter === counter) return known.reply;
    if (known !== undefined && known.counter > counter) throw new Error('SUPERSEDED');
    const time = now();
    if (remembers && (known?.counter ?? 0) < answered && time < hereUntil) throw new Error('REWOUND');
    const statuses = Promise.all(readEntries(args).map(apply));
    const reply = statuses.then((replies) =>
      [counter, time, ...replies.map(({ status }) => status.toUpperCase())].join('|'),
    );
    if (remembers) last.set(client, { counter, reply });
    return reply;
  };
}

function readEntries(args: Words): readonly CommitEntry[] {
  let at = FIRST_ENTRY;
  const word = (): string => String(args[at++]);
  const entries: CommitEntry[] = [];
  while (at < args.length) {
    const [instanceId, expected, due, once] = [word(), word(), word(), word()];
    const [historyLine, body, context] = [word(), word(), word()];
    const draft: Draft = {
      secrets: { set: [], drop: [] },
      timers: { set: [], clear: [] },
      outbox: { add: [], drop: [] },
      claims: { add: [], drop: [] },
      forget: [],
      indexes: { score: 0, add: [], drop: [] },
      ...{ signal: null, wake: false, remove: false },
    };
    for (const end = Number(word()) + at; at < end; ) {
      const [field, value] = [word(), word()];
      if (field.startsWith('sec:')) draft.secrets.set.push([field.slice(4), value]);
      else draft.signal = { id: field.slice(4), outcome: value };
    }
    for (let op = word(); op !== '.'; op = word()) change(draft, op, word);
    if (once !== (draft.signal === null ? '' : `sig:${draft.signal.id}`)) throw new Error(`once ${once}`);
    entries.push({
      ...draft,
      ...{ instanceId, expectedRevision: Number(expected), notBefore: due === '' ? null : Number(due) },
      ...{ historyLine, body, context: context === '' ? null : context },
    });
  }
  return entries;
}

function change(draft: Draft, op: string, word: () => string): void {
  const { secrets, timers, outbox, claims, forget, indexes } = draft;
  const first = op === 'w' || op === 'D' ? '' : word();
  const second = 'tcamIi'.includes(op) ? word() : '';
  switch (op) {
    case 'x':
      return void (first.startsWith('p:') ? forget : secrets.drop).push(first.slice(first.indexOf(':') + 1));
    case 'T':
      return void timers.clear.push(first);
    case 't':
      return void timers.set.push([first, Number(second)]);
    case 'C':
      return void claims.drop.push(first);
    case 'c':
      return void claims.add.push({ token: first, worker: second });
    case 'O':
      return void outbox.drop.push(first);
    case 'a':
    case 'm': {
      const last = word();
      return void outbox.add.push({ id: first, delayMs: Number(second), body: op === 'a' ? null : last });
    }
    case 'I':
    case 'i':
      indexes.score = Number(second);
      return void (op === 'i' ? indexes.add : indexes.drop).push(first);
    case 'w':
      draft.wake = true;
      return;
    case 'D':
      draft.remove = true;
      return;
    default:
      throw new Error(`no change is called '${op}'`);
  }
}
