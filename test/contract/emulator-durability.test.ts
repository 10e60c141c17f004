import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SEED_TENANTS, type Urls } from '../../emulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { isReadyLine, parseLine, type Spawned, spawnNode } from '../support/spawn.ts';
import { catalogueItem, clientOfUrls, type Json } from './emulator-client.ts';

let folder: string;
const started: Spawned[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'emulator-'));
});
afterAll(async () => {
  for (const child of started) if (child.running()) await child.kill9();
  await rm(folder, { recursive: true, force: true });
});

async function start(file: string, delays: Record<string, number>) {
  const child = await spawnNode('emulator/main.ts', {
    env: {
      EMULATOR_PORT: '0',
      EMULATOR_SMTP_PORT: '0',
      EMULATOR_DATA_FILE: join(folder, file),
      EMULATOR_DELAYS: JSON.stringify(delays),
    },
  });
  started.push(child);
  const urls = parseLine(await child.waitForLine(isReadyLine)) as unknown as Urls;
  return { child, client: clientOfUrls(urls) };
}

/** Requests of the comparison itself are counted too, so they are left out. */
const lasting = ({ requests: _, ...books }: Json): Json => books;

describe('a killed emulator', () => {
  it('knows everything it answered and finishes what was pending', async () => {
    const tenantId = SEED_TENANTS.fabrikam;
    const first = await start('journal.jsonl', { orderCompletion: 600_000 });
    const item = await catalogueItem(first.client, tenantId, 'CFQ7TTC0LHT4:0001');
    const base = `/v1/customers/${tenantId}/carts`;
    const lineItems = [{ catalogItemId: item, quantity: 3, billingCycle: 'monthly', termDuration: 'P1Y' }];
    const cart = await first.client.call('partnerCenter', 'POST', base, { body: { lineItems } });
    const checkout = await first.client.call('partnerCenter', 'POST', `${base}/${cart.json.id}/checkout`);
    const bearer = (await first.client.token('https://api.partnercenter.microsoft.com')).json.access_token;
    const before = await first.client.books();
    await first.child.kill9();

    const second = await start('journal.jsonl', { orderCompletion: 600_000 });
    expect(lasting(await second.client.books())).toEqual(lasting(before));
    expect(before.pendingEffects).toBe(1);
    const repeated = await second.client.call('partnerCenter', 'POST', `${base}/${cart.json.id}/checkout`, {
      bearer,
    });
    expect(repeated.json).toEqual(checkout.json);

    await second.client.call('control', 'POST', '/clock/advance', { body: { ms: 600_000 } });
    const order = await eventually(async () => {
      const books = await second.client.books();
      const found = books.orders.find((row: Json) => row.id === checkout.json.orders[0].id);
      return found.status === 'completed' && found;
    });
    expect(order.lines[0].subscriptionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await second.child.stop()).toBe(0);
  });
});
