/** The record's stored form: the machine's part and the engine's part, apart because one often changes alone. */
import { decode, encode } from './codec.ts';
import type { InstanceRecord, MachineState } from './record.ts';
import type { StoredInstance } from './store.ts';

/** Parts that are usually empty are left out at rest. */
const EMPTY = {
  parent: null,
  peers: {},
  activities: {},
  timers: {},
  children: {},
  inbox: [],
  quarantine: [],
  attention: null,
  keys: [],
  labels: {},
  subject: null,
  idempotencyHash: null,
} as const satisfies Partial<InstanceRecord>;

type Body = Omit<InstanceRecord, 'machine' | 'revision'>;

export function writeBody(record: InstanceRecord): string {
  const { machine: _machine, revision: _revision, ...body } = record;
  const kept = Object.entries(body).filter(([key, value]) => !(key in EMPTY) || !isEmpty(value));
  return encode(Object.fromEntries(kept));
}

function isEmpty(value: unknown): boolean {
  if (value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const written = new WeakMap<MachineState, string>();

/** Encoded once per state: what was read or written before is not encoded again. */
export function writeMachine(machine: MachineState): string {
  const known = written.get(machine);
  if (known !== undefined) return known;
  const text = encode(machine);
  written.set(machine, text);
  return text;
}

export function readRecord(stored: StoredInstance): InstanceRecord {
  const body = decode<Body>(stored.body);
  const machine = decode<MachineState>(stored.machine);
  written.set(machine, stored.machine);
  return { ...EMPTY, ...body, revision: stored.revision, machine };
}
