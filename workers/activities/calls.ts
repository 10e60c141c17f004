/** What every activity needs to call a connector, and how the connectors' words become the contracts'. */
import type { Connectors, ReadOptions, WriteOptions } from '../../connectors/index.ts';
import type { ActivityContext, Client } from '../../engine/index.ts';
import type { WorkerConfig } from '../../shared/config.ts';
import { ActivityFailure } from '../../shared/errors.ts';

export interface ActivityDeps {
  readonly connectors: Connectors;
  readonly config: Pick<WorkerConfig, 'microsoft'> & Partial<Pick<WorkerConfig, 'gdap'>>;
  /** The engine beside the instance that asks: other instances, paused queues. Known once the worker is. */
  readonly client: () => Pick<Client, 'start' | 'pausedQueues' | 'resumeQueue'>;
}

export function reading({ correlationId, signal }: ActivityContext): ReadOptions {
  return { correlationId, signal };
}

/** The request id stays while no answer was received and changes after each, as Microsoft asks for `MS-RequestId`. */
export function writing({ idempotencyKey, correlationId, signal }: ActivityContext): WriteOptions {
  return { requestId: idempotencyKey, correlationId, signal };
}

export interface BusinessRefusal {
  /** Partner Center's number, e.g. `13605`. */
  readonly code: string;
  readonly message: string;
}

/**
 * A clean refusal: Partner Center itself looked at the request and said no, with a number. Null for anything else, such
 * as a gateway's page, a broken sign-in or a lost answer.
 */
export function businessRefusal(failure: unknown): BusinessRefusal | null {
  if (!(failure instanceof ActivityFailure)) return null;
  const code = /^partner-center-(\d+)$/.exec(failure.code)?.[1];
  if (failure.kind !== 'terminal' || failure.pausesQueue !== undefined || code === undefined) return null;
  return { code, message: failure.message };
}

/** Microsoft's instants as ISO 8601 in UTC; some come without a zone and mean UTC. Null when unreadable. */
export function instant(text: string | null): string | null {
  if (text === null) return null;
  const ms = Date.parse(/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

export function nowIso(): string {
  return new Date().toISOString();
}
