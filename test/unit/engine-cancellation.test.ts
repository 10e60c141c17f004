import { describe, expect, it } from '@jest/globals';
import { createCancellation } from '../../engine/cancellation.ts';

describe('an attempt of a process that slept', () => {
  it('finds itself aborted wherever it looks, before anybody has aborted it', () => {
    let over = false;
    const cancellation = createCancellation(() => (over ? 'lease-lost' : undefined));
    const told: unknown[] = [];
    cancellation.onAbort((reason) => told.push(reason));
    const before = cancellation.signal;
    expect([before.aborted, cancellation.aborted, told]).toEqual([false, false, []]);

    over = true;

    expect(cancellation.signal.aborted).toBe(true);
    expect([before.aborted, cancellation.reason, told]).toEqual([true, 'lease-lost', ['lease-lost']]);
  });

  it('keeps the first reason, whoever gave it', () => {
    const cancellation = createCancellation(() => 'lease-lost');
    cancellation.abort('canceled');

    expect([cancellation.aborted, cancellation.reason]).toEqual([true, 'canceled']);
  });
});
