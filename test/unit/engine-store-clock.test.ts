import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createStoreClock } from '../../engine/redis/store-clock.ts';
import { drawing } from '../support/drawing.ts';

const TIME = 1_800_000_000_000;

/** A store and a process, each with a clock of its own; `pass` moves them apart where told to. */
function bench(offset = 0) {
  let store = TIME;
  let process = offset;
  const clock = createStoreClock(() => process);
  const pass = (ms: number, ofProcess = ms) => {
    store += ms;
    process += ofProcess;
  };
  return {
    clock,
    pass,
    truth: () => store,
    ask(thereMs = 1, backMs = 1) {
      const askedAt = process;
      pass(thereMs);
      const answer = store;
      pass(backMs);
      clock.learn(answer, askedAt);
    },
  };
}

describe('store time between answers', () => {
  it.each([0, 86_400_000, 1e12])('is the store’s, whatever the process’s clock began with (%d)', (offset) => {
    const { clock, ask, pass, truth } = bench(offset);
    ask();
    pass(5_000);

    expect(truth() - clock.now()).toBeGreaterThanOrEqual(0);
    expect(truth() - clock.now()).toBeLessThanOrEqual(1);
  });

  it('is a little off, and mended by the next answer, when the process’s clock has jumped', () => {
    const { clock, ask, pass, truth } = bench();
    ask();
    pass(10, 3_600_000);
    expect(clock.now() - truth()).toBeGreaterThan(1_000);
    expect(clock.now() - truth()).toBeLessThanOrEqual(5_000);

    ask();

    expect(Math.abs(truth() - clock.now())).toBeLessThanOrEqual(2);
  });

  it('does not run ahead of a store seen often enough, though the process’s clock runs twice as fast', () => {
    const { clock, ask, pass, truth } = bench();
    for (let second = 0; second < 120; second += 1) {
      ask();
      expect(clock.now() - truth()).toBeLessThanOrEqual(2);
      pass(1_000, 2_000);
    }
  });

  it('is not set back by an answer that lay about unread', () => {
    const { clock, ask, truth } = bench();
    ask();
    ask(1, 4_000);

    expect(truth() - clock.now()).toBeLessThanOrEqual(1);
  });

  it('follows a store whose clock is set back', () => {
    const { clock, ask, pass, truth } = bench();
    ask();
    pass(-3_600_000, 10);
    ask();

    expect(Math.abs(truth() - clock.now())).toBeLessThanOrEqual(2);
  });

  it('is 0 before the first answer', () => {
    expect(createStoreClock(() => 1_234).now()).toBe(0);
  });

  it('is not set back by an answer that was overtaken by a later one', () => {
    let process = 0;
    const clock = createStoreClock(() => process);
    clock.learn(TIME + 100, 0);
    clock.learn(TIME + 10, 0);
    expect(clock.now()).toBe(TIME + 100);

    process = 60_000;
    expect(clock.now()).toBe(TIME + 10 + 5_000);
    clock.learn(TIME + 20, process);
    expect(clock.now()).toBe(TIME + 100);
  });

  it('is never further ahead of the newest answer than a silence lasts, however long that was under way', () => {
    let process = 0;
    const clock = createStoreClock(() => process);
    clock.learn(TIME, 0);
    process = 4_000;
    clock.learn(TIME + 1, 0);
    expect(clock.now()).toBe(TIME + 4_000);

    process = 60_000;
    expect(clock.now()).toBe(TIME + 1 + 5_000);
  });

  it('never lies before an answer seen, and never farther off than a round trip', () =>
    drawing(100, (drawn) => {
      const steps = fc.array(fc.record({ there: fc.nat(50), back: fc.nat(50), wait: fc.nat(500) }));
      fc.assert(
        fc.property(steps, fc.nat(), (given, offset) => {
          const { clock, ask, pass, truth } = bench(offset);
          for (const { there, back, wait } of given) {
            ask(there, back);
            expect(clock.now()).toBeGreaterThanOrEqual(truth() - back);
            expect(clock.now()).toBeLessThanOrEqual(truth() + there);
            pass(wait);
          }
        }),
        drawn,
      );
    }));
});
