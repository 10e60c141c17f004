import { verify, X509Certificate } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createEmulator, type Emulator } from '../../emulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { type Client, clientOf, type Json } from './emulator-client.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let emulator: Emulator;
let client: Client;
let receiver: Server;
let received: Received[];
let answers: number[];

beforeEach(async () => {
  received = [];
  answers = [];
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(answers.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  emulator = createEmulator({ delays: { webhookBackoff: 5, webhookBackoffMax: 10 } });
  await emulator.listen();
  client = clientOf(emulator);
});
afterEach(async () => {
  await emulator.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

const path = '/webhooks/v1/registration';
const accepted = 'reseller-relationship-accepted-by-customer';
const register = () =>
  client.call('partnerCenter', 'POST', path, {
    body: {
      WebhookUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`,
      WebhookEvents: ['test-created', accepted],
    },
  });
const accept = (domain = 'contoso.example') =>
  client.call('control', 'POST', '/consents/reseller/accept', { body: { domain } });
const deliveries = async (): Promise<Json[]> => (await client.books()).webhooks;

function arrived(index: number): Promise<Received> {
  return eventually(() => {
    const event = received[index];
    if (event === undefined) throw new Error(`delivery ${index} has not arrived`);
    return event;
  });
}

async function isSigned({ headers, body }: Received): Promise<boolean> {
  const [scheme, signature = ''] = String(headers.authorization).split(' ');
  const der = await (await fetch(String(headers['x-ms-certificate-url']))).arrayBuffer();
  const leaf = new X509Certificate(Buffer.from(der));
  const root = new X509Certificate(emulator.webhookRootPem());
  expect(scheme).toBe('Signature');
  expect(leaf.issuer.split('\n')).toContain('O=Microsoft Corporation');
  expect(leaf.checkIssued(root) && leaf.verify(root.publicKey) && root.verify(root.publicKey)).toBe(true);
  return verify('RSA-SHA256', body, leaf.publicKey, Buffer.from(signature, 'base64'));
}

describe('webhooks of the emulator', () => {
  it('registers once, and asks for a change by PUT', async () => {
    expect((await client.call('partnerCenter', 'GET', path)).status).toBe(404);
    expect(await register()).toMatchObject({
      status: 200,
      json: { WebhookEvents: ['test-created', accepted] },
    });
    expect((await register()).status).toBe(409);
    expect((await client.call('partnerCenter', 'GET', `${path}/events`)).json).toContain(accepted);
  });

  it('signs every delivery over its raw bytes with a certificate of the test root', async () => {
    await register();
    await accept();

    const event = await arrived(0);

    expect(await isSigned(event)).toBe(true);
    expect(Object.keys(JSON.parse(event.body.toString()))).toEqual([
      'EventName',
      'ResourceUri',
      'ResourceName',
      'AuditUri',
      'ResourceChangeUtcDate',
    ]);
    expect(JSON.parse(event.body.toString()).ResourceChangeUtcDate).toMatch(/\.\d{7}\+00:00$/);
  });

  it('tries again after a refusal and gives up after ten attempts', async () => {
    answers = Array(3).fill(500);
    await register();
    await accept();
    await eventually(async () => (await deliveries())[0]?.status === 'delivered');
    expect(received).toHaveLength(4);

    answers = Array(10).fill(503);
    await client.call('partnerCenter', 'POST', `${path}/validationEvents`);
    await eventually(async () => (await deliveries())[1]?.status === 'offline');
    expect(received).toHaveLength(14);
  });

  it('duplicates, loses and spoils events on demand', async () => {
    await register();
    emulator.addFault({ kind: 'webhook-duplicate', route: accepted, times: 1 });
    await accept();
    await eventually(() => received.length === 2);
    expect(received[0]?.body).toEqual(received[1]?.body);

    emulator.addFault({ kind: 'webhook-bad-signature', times: 1 });
    await client.call('partnerCenter', 'POST', `${path}/validationEvents`);
    const spoilt = await arrived(2);
    expect(await isSigned(spoilt)).toBe(false);

    emulator.addFault({ kind: 'webhook-lost', times: 1 });
    await client.call('partnerCenter', 'POST', `${path}/validationEvents`);
    expect((await deliveries()).at(-1)).toMatchObject({
      eventName: 'test-created',
      status: 'lost',
      attempts: [],
    });
  });
});
