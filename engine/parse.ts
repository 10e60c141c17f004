/** What comes in from outside, parsed: start inputs and signal payloads. */
import type { z } from 'zod';
import { AppError } from '../shared/errors.ts';
import type { AnyWorkflow } from './definition.ts';
import type { MachineEvent } from './event.ts';

/** The machine's input; raises `input-invalid` with a pointer per field. */
export function parseInput(workflow: AnyWorkflow, input: unknown): unknown {
  return workflow.input === undefined
    ? input
    : parseWith(workflow.input, input, `The input of '${workflow.name}' is not valid.`, '');
}

/**
 * A signal as machine event. Raises `event-reserved` for XState's own types, `signal-unknown` for one the workflow does
 * not declare and `input-invalid` for a payload that does not fit.
 */
export function parseSignal(workflow: AnyWorkflow | null, type: string, payload: unknown): MachineEvent {
  if (type.startsWith('xstate.') || type === '*' || type === '') {
    throw new AppError('event-reserved', `'${type}' is not for outsiders.`, { details: { signal: type } });
  }
  const declared = workflow?.signals;
  if (declared === undefined) return { ...asFields(payload), type };
  const contract = Object.hasOwn(declared, type) ? declared[type] : undefined;
  if (contract === undefined) {
    throw new AppError('signal-unknown', `'${workflow?.name}' knows no signal '${type}'.`, {
      details: { signal: type, known: Object.keys(declared) },
    });
  }
  const parsed = parseWith(
    contract.payload,
    payload ?? {},
    `The payload of '${type}' is not valid.`,
    '/payload',
  );
  return { ...(parsed as Record<string, unknown>), type };
}

function asFields(payload: unknown): Record<string, unknown> {
  if (payload === undefined || payload === null) return {};
  if (typeof payload !== 'object' || Array.isArray(payload)) {
    throw new AppError('input-invalid', 'A payload is an object.', {
      details: { errors: [{ pointer: '/payload', detail: 'not an object' }] },
    });
  }
  return { ...payload };
}

function parseWith(schema: z.ZodType, value: unknown, message: string, base: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({
    pointer: `${base}/${issue.path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
    detail: issue.message,
  }));
  throw new AppError('input-invalid', message, { details: { errors } });
}
