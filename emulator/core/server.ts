/**
 * One listener for all services: read, match, count, order trouble, replay, handle, commit, answer. The commit comes
 * before the answer, so what a client was told survives a kill; `hang-up-after` strikes between the two.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../world.ts';
import type { Fault } from './faults.ts';
import { GATEWAY_PAGE, garbled } from './garble.ts';
import { matchOperation, type Operation, Refusal, type Reply, type Request, type Service } from './http.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

type Incoming = Omit<Request, 'operation' | 'params'>;

/** What becomes of a request: an answer, or a connection that ends without one. */
type Outcome =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'hang-up' }
  | { readonly kind: 'silence' };

export function createListener(world: World, services: readonly Service[]): RequestListener {
  return (message, response) => {
    void answer(world, services, message, response).catch((error: unknown) => {
      process.emitWarning(error instanceof Error ? error : String(error));
      if (!response.headersSent)
        send(response, message, { status: 500, json: { error: 'emulator failure' } });
    });
  };
}

async function answer(
  world: World,
  services: readonly Service[],
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(message.url ?? '/', 'http://emulator');
  const service = services.find((candidate) => under(url.pathname, candidate.prefix));
  if (service === undefined) {
    const known = services.map((candidate) => candidate.prefix);
    return send(
      response,
      message,
      url.pathname === '/'
        ? { status: 303, headers: { Location: '/inbox' } }
        : { status: 404, json: { services: known } },
    );
  }
  const raw = await readBody(message);
  if (raw === undefined) return send(response, message, { status: 413, json: { error: 'body too large' } });
  const path = decode(url.pathname.slice(service.prefix.length));
  const incoming: Incoming = {
    method: message.method ?? 'GET',
    path,
    query: url.searchParams,
    headers: message.headers,
    body: parseBody(raw, message.headers['content-type']),
  };
  const outcome = await perform(world, service, incoming, raw);
  world.database.commit();
  if (outcome.kind === 'silence') return;
  if (outcome.kind === 'hang-up') {
    message.socket.destroy();
    return;
  }
  send(response, message, outcome.reply);
}

/** Runs one request against a service, trouble included; also the way of a batch's parts. */
export async function perform(
  world: World,
  service: Service,
  incoming: Incoming,
  raw: Buffer,
): Promise<Outcome> {
  const match = matchOperation(service.operations, incoming.method, incoming.path);
  if (match === undefined) return reply(service, incoming, service.unknown(incoming));
  const request: Request = { ...incoming, ...match };
  const { key } = match.operation;
  const free = service.prefix === '/control';
  if (!free) world.ledger.countRequest(key);
  if (!free) {
    const slow = world.faults.take(key, 'delay');
    if (slow !== undefined) await sleep(slow.delayMs ?? 1_000);
    if (world.faults.take(key, 'no-answer') !== undefined) return { kind: 'silence' };
    if (world.faults.take(key, 'hang-up-before') !== undefined) return { kind: 'hang-up' };
    const trouble = world.faults.take(key, 'throttle', 'error');
    if (trouble !== undefined) return reply(service, incoming, troubleReply(service, trouble));
    const gateway = world.faults.take(key, 'gateway-page');
    // it never came as far as the service, so no ids are echoed
    if (gateway !== undefined) return { kind: 'reply', reply: gatewayReply(gateway) };
  }
  const lost = free ? undefined : world.faults.take(key, 'hang-up-after');
  const outcome = await handle(world, service, request, match.operation, raw);
  if (lost !== undefined) return { kind: 'hang-up' };
  const spoilt = free ? undefined : world.faults.take(key, 'garbled');
  return reply(service, incoming, spoilt === undefined ? outcome : garbled(outcome, spoilt));
}

async function handle(
  world: World,
  service: Service,
  request: Request,
  operation: Operation,
  raw: Buffer,
): Promise<Reply> {
  const requestId = request.headers['ms-requestid'];
  const replays = service.replaysByRequestId && request.method === 'POST' && typeof requestId === 'string';
  const id = `POST ${request.path.toLowerCase()} ${String(requestId).toLowerCase()}`;
  const fingerprint = createHash('sha256').update(raw).digest('hex');
  const known = replays ? world.partner.remembered.get(id) : undefined;
  if (known !== undefined) {
    const same = known.fingerprint === fingerprint;
    world.ledger.duplicate(operation.key, same ? 'same MS-RequestId' : 'same MS-RequestId with another body');
    if (!same && world.settings().requestIdReuse === 'refuse') {
      const description = 'MS-RequestId was used before with another body.';
      return { status: 400, json: { code: 800002, description, data: [], source: 'Emulator' } };
    }
    return { status: known.status, headers: known.headers, json: known.json };
  }
  let answered: Reply;
  try {
    answered = await operation.handler(request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.reply;
  }
  if (replays && answered.status < 300) {
    world.partner.remembered.put({
      id,
      fingerprint,
      status: answered.status,
      headers: answered.headers ?? {},
      json: answered.json ?? null,
    });
  }
  return answered;
}

const reply = (service: Service, incoming: Incoming, answered: Reply): Outcome => ({
  kind: 'reply',
  reply: service.decorate(incoming, answered),
});

/** Gateway bodies differ from the services' own (facts, "Error body"; section 7 for Graph). */
function troubleReply(service: Service, fault: Fault): Reply {
  const graph = service.prefix === '/graph';
  if (fault.kind === 'throttle') {
    const seconds = fault.retryAfterSeconds ?? 1;
    const headers = { 'Retry-After': String(seconds) };
    const message = fault.description ?? `Rate limit is exceeded. Try again in ${seconds} seconds.`;
    const json = graph
      ? { error: { code: 'TooManyRequests', message, innerError: { code: '429', status: '429' } } }
      : { statusCode: 429, message };
    return { status: fault.status ?? 429, headers, json };
  }
  const status = fault.status ?? 503;
  const text = fault.description ?? 'The service is unavailable.';
  const headers: Record<string, string> =
    fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(fault.retryAfterSeconds) };
  if (graph)
    return {
      status,
      headers,
      json: { error: { code: String(fault.code ?? 'ServiceUnavailable'), message: text, innerError: {} } },
    };
  if (service.prefix === '/login') {
    const code = Number(fault.code ?? 90033);
    return {
      status,
      headers,
      json: {
        error: 'temporarily_unavailable',
        error_description: `AADSTS${code}: ${text}`,
        error_codes: [code],
      },
    };
  }
  return {
    status,
    headers,
    json: { code: fault.code ?? 800003, description: text, data: [], source: 'PartnerFD' },
  };
}

function gatewayReply({ status = 502, retryAfterSeconds }: Fault): Reply {
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
  return { status, headers, text: GATEWAY_PAGE, contentType: 'text/html; charset=utf-8' };
}

function under(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

async function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function parseBody(raw: Buffer, contentType: string | undefined): unknown {
  if (raw.length === 0) return undefined;
  const text = raw.toString('utf8').replace(/^\uFEFF/, '');
  if (contentType?.includes('application/x-www-form-urlencoded') === true) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, message: IncomingMessage, answered: Reply): void {
  const body =
    answered.bytes ??
    (answered.text !== undefined
      ? answered.text
      : answered.json !== undefined
        ? JSON.stringify(answered.json)
        : '');
  const type =
    answered.contentType ?? (answered.json !== undefined ? 'application/json; charset=utf-8' : undefined);
  response.writeHead(answered.status, {
    'X-Content-Type-Options': 'nosniff',
    ...(type !== undefined && { 'Content-Type': type }),
    ...answered.headers,
  });
  response.end(message.method === 'HEAD' ? undefined : body);
}
