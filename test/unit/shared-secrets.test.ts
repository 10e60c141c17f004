import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createSecretBox, Secret, secretAad } from '../../shared/secrets.ts';

const aad = secretAad('wf_1', 'administrator-password');

describe('a sealed secret', () => {
  it('opens for the same instance and name only', () => {
    const box = createSecretBox({ key: randomBytes(32) });

    const sealed = box.seal(aad, 'Xk3 ü 🔑');

    expect(sealed).not.toContain('Xk3');
    expect(box.open(aad, sealed)).toBe('Xk3 ü 🔑');
    expect(() => box.open(secretAad('wf_2', 'administrator-password'), sealed)).toThrow(
      expect.objectContaining({ code: 'secret-unreadable' }),
    );
    expect(() => box.open(secretAad('wf_1', 'other'), sealed)).toThrow(
      expect.objectContaining({ code: 'secret-unreadable' }),
    );
  });

  it('looks different each time', () => {
    const box = createSecretBox({ key: randomBytes(32) });

    expect(box.seal(aad, 'same')).not.toBe(box.seal(aad, 'same'));
  });

  it('does not open after any character was changed or cut', () => {
    const box = createSecretBox({ key: randomBytes(32) });
    const sealed = box.seal(aad, 'password');

    for (let index = 0; index < sealed.length; index += 1) {
      const other = sealed[index] === 'A' ? 'B' : 'A';
      const altered = sealed.slice(0, index) + other + sealed.slice(index + 1);
      if (sameBytes(altered, sealed)) continue;
      expect(() => box.open(aad, altered)).toThrow(expect.objectContaining({ code: 'secret-unreadable' }));
    }
    for (const cut of ['', 'v1', sealed.slice(0, -5), `${sealed}.x`]) {
      expect(() => box.open(aad, cut)).toThrow(expect.objectContaining({ code: 'secret-unreadable' }));
    }
  });

  it('does not open with the parts of two records', () => {
    const box = createSecretBox({ key: randomBytes(32) });
    const [first, second] = [box.seal(aad, 'one').split('.'), box.seal(aad, 'two').split('.')];

    const mixed = [...first.slice(0, 3), second[3]].join('.');

    expect(() => box.open(aad, mixed)).toThrow(expect.objectContaining({ code: 'secret-unreadable' }));
  });

  it('opens after the key was replaced, and is re-wrapped without touching the value', () => {
    const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
    const sealed = createSecretBox({ key: oldKey }).seal(aad, 'password');
    const both = createSecretBox({ key: newKey, oldKeys: [oldKey] });

    const rewrapped = both.rewrap(aad, sealed);

    expect(both.open(aad, sealed)).toBe('password');
    expect(rewrapped.split('.')[3]).toBe(sealed.split('.')[3]);
    expect(both.rewrap(aad, rewrapped)).toBe(rewrapped);
    expect(createSecretBox({ key: newKey }).open(aad, rewrapped)).toBe('password');
    expect(() => createSecretBox({ key: newKey }).open(aad, sealed)).toThrow(
      expect.objectContaining({ code: 'secret-unreadable' }),
    );
  });

  it('is refused a short key', () => {
    expect(() => createSecretBox({ key: randomBytes(16) })).toThrow('32 bytes');
  });
});

/** The last base64url digit of a part may hold bits that mean nothing. */
function sameBytes(a: string, b: string): boolean {
  const bytes = (text: string) =>
    text.split('.').map((part, index) => (index < 2 ? part : Buffer.from(part, 'base64url').toString('hex')));
  return bytes(a).join('.') === bytes(b).join('.');
}

describe('a secret in hand', () => {
  it('shows itself in no text, dump or JSON', () => {
    const secret = new Secret('hunter2');

    expect(
      [`${secret}`, inspect(secret), inspect({ deep: { secret } }), String(secret)].join(),
    ).not.toContain('hunter2');
    expect(() => JSON.stringify({ secret })).toThrow(expect.objectContaining({ code: 'value-not-durable' }));
    expect(Object.keys(secret)).toEqual([]);
    expect(secret.reveal()).toBe('hunter2');
  });
});
