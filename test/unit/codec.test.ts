import { describe, expect, it } from '@jest/globals';
import { decode, encode, errorToData } from '../../engine/codec.ts';

describe('values at rest', () => {
  it('are plain JSON where JSON is exact', () => {
    const value = { a: [1, 'two', null, { b: true }], empty: {}, none: [] };

    expect(encode(value)).toBe(JSON.stringify(value));
  });

  it.each([
    ['undefined', { a: undefined, b: 1 }],
    ['dates', { at: new Date(17) }],
    ['maps and sets', { map: new Map([['k', new Set([1])]]) }],
    ['bigints', { n: 12345678901234567890n }],
    ['odd numbers', { nan: Number.NaN, zero: -0, far: Number.POSITIVE_INFINITY }],
    ['holes', { list: [1, undefined, 3] }],
  ])('keep %s', (_, value) => {
    expect(decode(encode(value))).toEqual(value);
    expect(Object.keys(decode<object>(encode(value)))).toEqual(Object.keys(value));
  });

  it('are refused with their path where nothing can keep them', () => {
    expect(() => encode({ deep: [{ fn: () => 1 }] })).toThrow(/deep\[0\]\.fn/);
    expect(() => encode({ at: new (class Point {})() })).toThrow(/at/);
  });

  it('do not let a stored __proto__ change a prototype', () => {
    const hostile = JSON.parse('{"__proto__":{"admin":true},"a":1}') as object;

    expect(() => encode(hostile)).toThrow();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('are refused where nothing could read them again, or even look at them', () => {
    const nested = (levels: number) => {
      let value: object = {};
      for (let level = 0; level < levels; level += 1) value = { value };
      return value;
    };
    const broken = {
      get part(): never {
        throw new Error('no part');
      },
    };

    expect(decode(encode(nested(900)))).toEqual(nested(900));
    expect(() => encode(nested(100_000))).toThrow(/nested deeper/);
    expect(() => encode(broken)).toThrow(expect.objectContaining({ code: 'value-not-durable' }));
  });

  it('show whatever was thrown as what can be kept', () => {
    class Refusal {
      readonly secret = 's';
    }
    const error = Object.assign(new Error('no'), { code: Symbol('E'), details: new Refusal() });

    expect(errorToData(error)).toEqual({
      name: 'Error',
      message: 'no',
      code: 'Symbol(E)',
      details: '[Refusal]',
    });
    expect(errorToData(new Refusal())).toBe('[Refusal]');
    expect(errorToData({ at: new Date(1) })).toEqual({ at: new Date(1) });
    expect(errorToData(undefined)).toBeUndefined();
  });

  it('show an error as data', () => {
    const error = Object.assign(new Error('no'), { code: 'E_NO', details: { why: 1 } });

    expect(errorToData(error)).toEqual({ name: 'Error', message: 'no', code: 'E_NO', details: { why: 1 } });
    expect(errorToData('text')).toBe('text');
  });
});
