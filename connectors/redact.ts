const SECRET_NAME = /password|secret|token|authorization|credential|assertion|cookie/i;
const TOKEN_TEXT = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;
const MAX_TEXT = 1_000;
const MAX_DEPTH = 12;
const MAX_ITEMS = 50;

/** An answer as it may be shown to staff and kept in history: secrets masked by name and by look, bounded in size. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT).replace(TOKEN_TEXT, '[redacted]');
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redacted(item, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries.map(([name, inner]) => [
      name,
      SECRET_NAME.test(name) ? '[redacted]' : redacted(inner, depth + 1),
    ]),
  );
}
