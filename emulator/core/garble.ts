/** Answers that do not fit: what gateways, half-closed connections and new releases of a service make of a good one. */
import type { Fault } from './faults.ts';
import type { Reply } from './http.ts';

export const GARBLED_AS = [
  /** A gateway's page instead of the answer. */
  'html',
  'empty',
  /** JSON that stops in the middle. */
  'truncated',
  /** Good JSON under `text/plain`. */
  'wrong-type',
  /** Nine megabytes. */
  'huge',
  /** `field` (`a.0.b`) set to `value`, or left out when there is no value. */
  'field',
] as const;

const HUGE_BYTES = 9 * 1024 * 1024;
export const GATEWAY_PAGE =
  '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';

export function garbled(reply: Reply, fault: Fault): Reply {
  const { status, headers = {} } = reply;
  const text = reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json));
  switch (fault.as ?? 'html') {
    case 'html':
      return { status, headers, text: GATEWAY_PAGE, contentType: 'text/html; charset=utf-8' };
    case 'empty':
      return { status, headers };
    case 'truncated':
      return { status, headers, text: text.slice(0, text.length / 2), contentType: 'application/json' };
    case 'wrong-type':
      return { status, headers, text, contentType: 'text/plain' };
    case 'huge':
      return { status, headers, bytes: Buffer.alloc(HUGE_BYTES, 'x'), contentType: 'application/json' };
    case 'field':
      return { status, headers, json: withField(reply.json, (fault.field ?? '').split('.'), fault.value) };
  }
}

function withField(value: unknown, path: readonly string[], wanted: unknown): unknown {
  const [name = '', ...rest] = path;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((item, index) =>
      String(index) !== name ? item : rest.length === 0 ? wanted : withField(item, rest, wanted),
    );
  const entries = Object.entries(value).filter(
    ([key]) => key !== name || rest.length > 0 || wanted !== undefined,
  );
  const changed = entries.map(([key, inner]) => [
    key,
    key !== name ? inner : rest.length === 0 ? wanted : withField(inner, rest, wanted),
  ]);
  const isNew = rest.length === 0 && wanted !== undefined && !(name in value);
  return { ...Object.fromEntries(changed), ...(isNew && { [name]: wanted }) };
}
