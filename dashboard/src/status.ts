/** The few things an instance can be, for whoever looks at many: never told by colour alone. */
import type { IconName } from './icons.tsx';
import type { Summary } from './types.ts';

export interface Chip {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: 'running' | 'waiting' | 'needs' | 'done' | 'failed' | 'quiet';
}

const CLOSED: Readonly<Record<string, Chip>> = {
  completed: { word: 'Done', icon: 'check', tone: 'done' },
  failed: { word: 'Failed', icon: 'cross', tone: 'failed' },
  canceled: { word: 'Canceled', icon: 'minus', tone: 'quiet' },
};

const NEEDS_YOU = ['operator', 'engineer'];

export function waitingOn({ waitingOn: own, innermost }: Summary): string | null {
  return innermost?.waitingOn ?? own;
}

export function chipOf(summary: Summary): Chip {
  const closed = CLOSED[summary.status];
  if (closed !== undefined) return closed;
  const who = waitingOn(summary);
  const needsYou: Chip = { word: 'Needs you', icon: 'alert', tone: 'needs' };
  if (summary.needs.attention > 0) return needsYou;
  if (summary.status === 'paused') return { word: 'Paused', icon: 'pause', tone: 'quiet' };
  if (NEEDS_YOU.includes(who ?? '')) return needsYou;
  return who === 'customer' || who === 'microsoft'
    ? { word: 'Waiting', icon: 'clock', tone: 'waiting' }
    : { word: 'Running', icon: 'play', tone: 'running' };
}

const WHO: Readonly<Record<string, string>> = {
  customer: 'the customer',
  microsoft: 'Microsoft',
  operator: 'you',
  engineer: 'an engineer',
  us: 'us',
};

export function whoWords(who: string | null): string {
  return who === null ? '' : (WHO[who] ?? who);
}
