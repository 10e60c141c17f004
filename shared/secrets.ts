/**
 * Secrets at rest: envelope encryption. A random 256-bit key per record encrypts the value; the key from the
 * configuration only wraps that key, so that rotation re-wraps 32 bytes and never touches the value.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { AppError } from './errors.ts';

const FORMAT = 'v1';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A value that must be asked for by name: printing it shows `[secret]`, JSON.stringify throws `value-not-durable`. */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): never {
    throw new AppError('value-not-durable', 'A secret may not be turned into JSON; seal it instead.');
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

export interface SecretBox {
  /** Encrypts; the result is text that only opens with the same `aad`. */
  seal(aad: string, plaintext: string): string;
  /** Raises `secret-unreadable` when the text was altered, belongs to another `aad`, or its key is unknown. */
  open(aad: string, sealed: string): string;
  /** The same record under the current key; returns it unchanged when it already is. */
  rewrap(aad: string, sealed: string): string;
}

/** What a sealed record is bound to: it opens for this instance and this name only. */
export function secretAad(instanceId: string, name: string): string {
  return JSON.stringify([instanceId, name]);
}

/** `oldKeys` still open what they sealed; only `key` seals. Keys are 32 bytes. */
export function createSecretBox(options: { key: Uint8Array; oldKeys?: readonly Uint8Array[] }): SecretBox {
  const current = namedKey(options.key);
  const keys = new Map(
    [...(options.oldKeys ?? []).map(namedKey), current].map((named) => [named.id, named.key]),
  );

  function unwrap(aad: string, sealed: string): { dataKey: Buffer; keyId: string; body: string } {
    const [format, keyId, wrapped, body, ...rest] = sealed.split('.');
    if (
      format !== FORMAT ||
      keyId === undefined ||
      wrapped === undefined ||
      body === undefined ||
      rest.length > 0
    ) {
      throw unreadable('The sealed text is not in a known format.');
    }
    const key = keys.get(keyId);
    if (key === undefined) throw unreadable('The key that sealed this is not configured.', { keyId });
    return { dataKey: decrypt(key, wrapAad(keyId, aad), wrapped), keyId, body };
  }

  function wrap(aad: string, dataKey: Buffer): string {
    return `${FORMAT}.${current.id}.${encrypt(current.key, wrapAad(current.id, aad), dataKey)}`;
  }

  return {
    seal(aad, plaintext) {
      const dataKey = randomBytes(KEY_BYTES);
      const body = encrypt(dataKey, bodyAad(aad), Buffer.from(plaintext, 'utf8'));
      const sealed = `${wrap(aad, dataKey)}.${body}`;
      dataKey.fill(0);
      return sealed;
    },
    open(aad, sealed) {
      const { dataKey, body } = unwrap(aad, sealed);
      const plaintext = decrypt(dataKey, bodyAad(aad), body);
      dataKey.fill(0);
      return plaintext.toString('utf8');
    },
    rewrap(aad, sealed) {
      const { dataKey, keyId, body } = unwrap(aad, sealed);
      const result = keyId === current.id ? sealed : `${wrap(aad, dataKey)}.${body}`;
      dataKey.fill(0);
      return result;
    },
  };
}

function namedKey(key: Uint8Array): { id: string; key: Uint8Array } {
  if (key.length !== KEY_BYTES) throw new AppError('config-invalid', 'A secret key has exactly 32 bytes.');
  return { id: createHash('sha256').update('secret-key-id').update(key).digest('hex').slice(0, 12), key };
}

function wrapAad(keyId: string, aad: string): string {
  return JSON.stringify([FORMAT, 'key', keyId, aad]);
}

function bodyAad(aad: string): string {
  return JSON.stringify([FORMAT, 'value', aad]);
}

function encrypt(key: Uint8Array, aad: string, plaintext: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(aad, 'utf8'));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

function decrypt(key: Uint8Array, aad: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw unreadable('The sealed text is too short.');
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(aad, 'utf8')).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw unreadable('The sealed text was altered or belongs to something else.', {}, cause);
  }
}

function unreadable(message: string, details: { keyId?: string } = {}, cause?: unknown): AppError {
  return new AppError('secret-unreadable', message, { details, cause });
}
