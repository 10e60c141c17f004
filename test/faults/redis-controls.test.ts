/** The checkers of `redis-writes.test.ts`, each seen to fail: the same scenario with a fault planted around the store. */
import { describe, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { expectControl } from '../support/control.ts';
import type { Checked } from '../support/engine-checks.ts';
import {
  cutConnections,
  everyTenth,
  fillDisk,
  fillMemory,
  flushScripts,
  killUnderLoad,
  type Tears,
  tearCommit,
} from '../support/redis-scenarios.ts';
import type { Verdict } from '../support/writers.ts';

function judged(injected: number, { lost, torn, falselyRefused, kept }: Verdict): Checked {
  const gone = lost === 0 ? [] : [`${lost} commits are lost`];
  const refused = falselyRefused.map((what) => `falsely refused: ${what}`);
  return { problems: [...gone, ...torn, ...refused], injected, done: kept };
}

const told = ({ torn, misjudged, cuts, before, after }: Tears): Checked => ({
  problems: [...torn, ...misjudged],
  injected: cuts,
  done: before + after,
});

/** Gives up where a script is not known, instead of sending its text; the next call finds it there. */
function givingUp(redis: Redis): Redis {
  return new Proxy(redis, {
    get(target, name) {
      if (name !== 'eval') {
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (text: string) => {
        await target.script('LOAD', text);
        throw new Error('NOSCRIPT and no more to say');
      };
    },
  });
}

describe('a planted fault is caught:', () => {
  it('a Redis that writes nothing down', async () => {
    const sound = await killUnderLoad(1);
    const planted = await killUnderLoad(1, { aof: 'off' });

    const plant = 'a Redis that writes nothing down, under kill -9';
    expectControl(plant, judged(sound.kills, sound), judged(planted.kills, planted), /falsely refused|lost/);
  }, 120_000);

  it('a commit that is no transaction', async () => {
    const middle = (bytes: number) => [0.25, 0.5, 0.75].map((part) => Math.floor(bytes * part));
    const sound = told(await tearCommit(middle));
    const planted = told(await tearCommit(middle, { pieces: true }));

    expectControl('a commit in pieces, its file cut', sound, planted, /cut at \d+: instance-0 at \d: /);
  }, 120_000);

  it('a Redis that loads a torn file as it is', async () => {
    const sound = told(await tearCommit(everyTenth, { goesOn: true }));
    const planted = told(await tearCommit(everyTenth, { goesOn: true, unmended: true }));

    const plant = 'the half of a commit left in the file';
    expectControl(plant, sound, planted, /3, then "3\|\d+\|CONFLICT"/);
  }, 120_000);

  it('a store that forgets commit ids', async () => {
    const sound = await cutConnections(40, 'worker');
    const planted = await cutConnections(40, 'worker', { forgetful: true });

    const plant = 'commit ids forgotten, the line cut';
    expectControl(plant, judged(sound.cuts, sound), judged(planted.cuts, planted), /falsely refused/);
  }, 120_000);

  it('a store that calls refused commits kept', async () => {
    const [disk, memory] = [await fillDisk('everysec'), await fillMemory()];
    const [lying, forgetting] = [await fillDisk('everysec', true), await fillMemory(true)];

    const pairs = [
      ['disk', disk, lying],
      ['memory', memory, forgetting],
    ] as const;
    for (const [where, sound, planted] of pairs) {
      const plant = `a refused commit called kept, ${where} full`;
      const [right, wrong] = [judged(sound.refused, sound), judged(planted.refused, planted)];
      expectControl(plant, right, wrong, /commits are lost/);
    }
  }, 120_000);

  it('a script that is not sent again', async () => {
    const sound = await flushScripts(5);
    const planted = await flushScripts(5, givingUp);

    const errorsOf = ({ errors, flushes, kept }: typeof sound): Checked => ({
      problems: Object.entries(errors).map(([code, times]) => `${times} writers met ${code}`),
      injected: flushes,
      done: kept,
    });
    expectControl('a script not sent again', errorsOf(sound), errorsOf(planted), /writers met/);
  }, 120_000);
});
