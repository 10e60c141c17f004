/** Times and names as people read them. */

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

export const JUST_NOW = 'just now';

export function ageOf(since: string, now: number): string {
  const seconds = Math.max(Math.floor((now - Date.parse(since)) / 1_000), 0);
  const unit = UNITS.find(([, size]) => seconds >= size);
  return unit === undefined ? JUST_NOW : `${Math.floor(seconds / unit[1])} ${unit[0]}`;
}

const DURATION_WORDS: Readonly<Record<string, string>> = { D: 'day', M: 'month', Y: 'year' };

/** An option of a list: `chosen-users` as `Chosen users`, `P1Y` as `1 year`. */
export function optionWords(option: string): string {
  const [, count, unit] = /^P(\d+)([DMY])$/.exec(option) ?? [];
  if (count === undefined || unit === undefined) return humanise(option);
  if (count === '0') return 'None';
  return `${count} ${DURATION_WORDS[unit]}${count === '1' ? '' : 's'}`;
}

/** `in 3 d`, `in 20 min`, `now`. */
export function untilOf(at: string, now: number): string {
  const seconds = Math.floor((Date.parse(at) - now) / 1_000);
  const unit = UNITS.find(([, size]) => seconds >= size);
  return unit === undefined
    ? seconds > 5
      ? `in ${seconds} s`
      : 'now'
    : `in ${Math.floor(seconds / unit[1])} ${unit[0]}`;
}

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });

export const localTime = (at: string): string => local.format(new Date(at));
export const clockTime = (at: string): string => clock.format(new Date(at));
export const dayOf = (at: string): string => day.format(new Date(at));
/** Both, for a tooltip: local and UTC. */
export const bothTimes = (at: string): string => `${localTime(at)} (${at.replace('.000Z', 'Z')})`;

/** Characters that hide or turn text around are written out, so that a name cannot pose as another. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (hidden) =>
    hidden === '\n' || hidden === '\t'
      ? hidden
      : `[U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}

/** `usageLocation` as `Usage location`. */
export function humanise(name: string): string {
  const words = name
    .replace(
      /([a-z0-9])([A-Z])/g,
      (_, before: string, capital: string) => `${before} ${capital.toLowerCase()}`,
    )
    .replace(/[-_.]+/g, ' ');
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** `1 task`, `3 tasks`. */
export const count = (number: number, thing: string): string =>
  `${number} ${thing}${number === 1 ? '' : 's'}`;

/** An event's name as people say it: timers without their address. */
export function eventWords(event: string): string {
  return humanise(/^xstate\.after\.([^.]+)\./.exec(event)?.[1] ?? event);
}

/** A sentence with `{names}` where data go, filled from them; what is not there yet is left open. */
export function filled(sentence: string, data: unknown): string {
  return sentence.replace(/\{([A-Za-z0-9_.]+)\}/g, (_, path: string) => {
    let found: unknown = data;
    for (const part of path.split('.'))
      found =
        typeof found === 'object' && found !== null && Object.hasOwn(found, part)
          ? (found as Record<string, unknown>)[part]
          : undefined;
    return typeof found === 'string' || typeof found === 'number' ? String(found) : '…';
  });
}
