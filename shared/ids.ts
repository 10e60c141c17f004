import { createHash, randomBytes } from 'node:crypto';

/** The grammar of every id this product mints or accepts: safe in URLs, Redis keys, BullMQ job ids and file names. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * A new id `<prefix>_<32 hex digits>`: a UUIDv7 (RFC 9562) without hyphens, so ids sort by the millisecond they were
 * made in. Two ids of one millisecond have no order.
 */
export function newId(prefix: string, now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  setVersion(bytes, 7);
  return `${prefix}_${bytes.toString('hex')}`;
}

/**
 * The same UUID for the same parts, always (version 8, from SHA-256). Parts are length-prefixed, so `('ab', 'c')` and
 * `('a', 'bc')` differ. Used for idempotency keys and for recognising a delivery that comes twice.
 */
export function uuidFrom(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const text = String(part);
    hash.update(`${Buffer.byteLength(text)}:${text}`);
  }
  const bytes = hash.digest().subarray(0, 16);
  setVersion(bytes, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function setVersion(bytes: Buffer, version: number): void {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
}
