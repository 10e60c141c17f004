/** Redis addresses, and one command sent over a bare socket: the bootstrap may not need any package. */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** `unix:///path`, `/path`, `redis://[user:password@]host:port/db` or `rediss://…` → what a socket needs. */
export function parseRedisAddress(url) {
  if (url.startsWith('/')) return { path: url };
  const parsed = new URL(url);
  if (parsed.protocol === 'unix:') return { path: decodeURIComponent(parsed.pathname) };
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') {
    throw new Error(`REDIS_URL must begin with redis://, rediss:// or unix://, not '${parsed.protocol}'.`);
  }
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(parsed.port || 6379),
    tls: parsed.protocol === 'rediss:',
    username: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
  };
}

/** The address without its password, for people to read. */
export function describeAddress(url) {
  const address = parseRedisAddress(url);
  return address.path ?? `${address.tls ? 'rediss' : 'redis'}://${address.host}:${address.port}`;
}

function encode(args) {
  const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${parts.join('')}`;
}

/** Reads one reply at `start`. Undefined when it is not whole yet, else the value and where it ends. */
function decode(buffer, start) {
  const lineEnd = buffer.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const line = buffer.toString('utf8', start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(buffer[start])) {
    case '+':
      return { value: line, end: next };
    case ':':
      return { value: Number(line), end: next };
    case '-':
      return { value: new Error(line), end: next };
    case '$': {
      const length = Number(line);
      if (length < 0) return { value: null, end: next };
      if (buffer.length < next + length + 2) return undefined;
      return { value: buffer.toString('utf8', next, next + length), end: next + length + 2 };
    }
    case '*':
      return decodeArray(buffer, next, Number(line));
    default:
      throw new Error('This is not a Redis server: its reply is not RESP.');
  }
}

function decodeArray(buffer, start, length) {
  const values = [];
  let end = start;
  for (let index = 0; index < length; index += 1) {
    const item = decode(buffer, end);
    if (item === undefined) return undefined;
    values.push(item.value);
    end = item.end;
  }
  return { value: values, end };
}

/** Sends commands on one connection and resolves with their replies; an error reply or silence rejects. */
export function redisCommands(url, commands, { timeoutMs = 2_000 } = {}) {
  const address = parseRedisAddress(url);
  const login = address.password
    ? [['AUTH', ...(address.username ? [address.username] : []), address.password]]
    : [];
  const all = [...login, ...commands];
  return new Promise((resolve, reject) => {
    const options =
      address.path === undefined ? { host: address.host, port: address.port } : { path: address.path };
    const socket = address.tls ? connectTls({ ...options, servername: address.host }) : connectTcp(options);
    const timer = setTimeout(() => finish(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    let received = Buffer.alloc(0);
    function finish(error, replies) {
      clearTimeout(timer);
      socket.destroy();
      if (error === undefined) resolve(replies);
      else reject(error);
    }
    socket.once('error', finish);
    socket.once('close', () => finish(new Error('connection closed')));
    socket.once(address.tls ? 'secureConnect' : 'connect', () => socket.write(all.map(encode).join('')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const replies = decodeArray(received, 0, all.length);
        if (replies === undefined) return;
        const refusal = replies.value.find((value) => value instanceof Error);
        finish(refusal, replies.value.slice(login.length));
      } catch (error) {
        finish(error);
      }
    });
  });
}

/** True when a Redis answers there. A loading one does not count. */
export async function pingRedis(url, options) {
  try {
    const [reply] = await redisCommands(url, [['PING']], options);
    return reply === 'PONG';
  } catch {
    return false;
  }
}

/** `INFO` as an object. */
export async function redisInfo(url, options) {
  const [text] = await redisCommands(url, [['INFO']], options);
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
