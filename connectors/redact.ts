const SECRET_NAME = /password|secret|token|authorization|credential|assertion|cookie/i;
const TOKEN_TEXT = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;
/** `"password": "…"` inside a text (cut off or escaped as it may be), and `password=…` of a form. */
const NAMED_IN_JSON = new RegExp(
  String.raw`(\\*"[^"\\]{0,60}(?:${SECRET_NAME.source})[^"\\]{0,60}\\*"\s{0,8}:\s{0,8}\\*")(?:[^"\\]|\\.)*`,
  'gi',
);
const NAMED_IN_FORM = new RegExp(
  String.raw`([\w-]{0,40}(?:${SECRET_NAME.source})[\w-]{0,40}=)[^&\s"']+`,
  'gi',
);
const MAX_TEXT = 1_000;
const MAX_DEPTH = 12;
const MAX_ITEMS = 50;

/** An answer as it may be shown to staff and kept in history: secrets masked by name and by look, bounded in size. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
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

/** A text as it may be shown: what stands under a secret's name or looks like a token is masked. */
export function redactedText(text: string): string {
  // Cut first, with room for a secret that would begin before the cut and be judged by its name.
  return text
    .slice(0, 2 * MAX_TEXT)
    .replace(TOKEN_TEXT, '[redacted]')
    .replace(NAMED_IN_JSON, '$1[redacted]')
    .replace(NAMED_IN_FORM, '$1[redacted]')
    .slice(0, MAX_TEXT);
}
