/** What `npm start` makes up once and keeps in the data directory: keys, and ports that stay the same. */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Whole or not at all: a half-written file would lose the key that opens every sealed secret. */
function writePrivate(path, value) {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(aside, path);
}

/** `{ secretKey, apiKey }`, made on the first call. The file is readable by its owner only. */
export function localSecrets(dataDir) {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'secrets.json');
  const kept = readJson(path);
  if (kept !== undefined) {
    chmodSync(path, 0o600);
    return kept;
  }
  const made = {
    secretKey: randomBytes(32).toString('base64'),
    apiKey: `wfk_${randomBytes(24).toString('base64url')}`,
  };
  writePrivate(path, made);
  return made;
}

/** The form of API_KEYS: name, role and digest; the key itself is in no setting. */
export function apiKeyEntry(name, role, key) {
  return `${name}:${role}:${createHash('sha256').update(key).digest('hex')}`;
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const { port: taken } = server.address();
      server.close(() => resolve(taken));
    });
  });
}

/**
 * A free loopback port per name: the remembered one, else the wished one, else any. Wishes are `{ api: 3000 }`; a port
 * in `fixed` is taken as it is.
 */
export async function localPorts(dataDir, wishes, fixed = {}) {
  const path = join(dataDir, 'ports.json');
  const kept = readJson(path) ?? {};
  const ports = {};
  for (const [name, wish] of Object.entries(wishes)) {
    const used = new Set(Object.values(ports));
    const wanted = [fixed[name] ?? kept[name] ?? wish, wish, 0].filter(
      (port) => port === 0 || !used.has(port),
    );
    if (fixed[name] !== undefined) ports[name] = fixed[name];
    else for (const port of wanted) ports[name] ??= await canListen(port);
  }
  writePrivate(path, ports);
  return ports;
}

/** What was played on this data directory, or undefined. */
export function playedOn(dataDir) {
  return readJson(join(dataDir, 'played.json'));
}

export function rememberPlayed(dataDir, instances) {
  writePrivate(join(dataDir, 'played.json'), { instances });
}
