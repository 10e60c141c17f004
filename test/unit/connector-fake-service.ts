/** A small HTTP server that answers as the test says and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Connectors, createConnectors, type RefreshTokenStore } from '../../connectors/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { MicrosoftConfig } from '../../shared/config.ts';
import { silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Responder = (asked: Asked, response: ServerResponse, count: number) => void;

export interface FakeService {
  readonly url: string;
  readonly asked: Asked[];
  /** Requests whose path starts so, tokens excluded unless asked for. */
  askedFor(prefix: string): Asked[];
  /** The newest rule that fits answers; `count` is how often this rule answered, from 1. */
  on(method: string, prefix: string, responder: Responder): void;
  close(): Promise<void>;
}

export const PARTNER_TENANT = '3a1d0c55-0000-4000-8000-00000000aaaa';
export const CUSTOMER = '6f0c1111-0000-4000-8000-000000000001';
export const IDS = {
  requestId: '11111111-1111-4111-8111-111111111111',
  correlationId: '22222222-2222-4222-8222-222222222222',
};

export const NEW_CUSTOMER = {
  domain: 'adatum7f3a.onmicrosoft.com',
  companyName: 'Adatum GmbH',
  email: 'it@adatum.example',
  culture: 'en-US',
  language: 'en',
  firstName: 'Ada',
  lastName: 'Meyer',
  address: { country: 'US', addressLine1: '1 Example Way' },
};

export async function startFakeService(): Promise<FakeService> {
  const asked: Asked[] = [];
  const rules: { method: string; prefix: string; responder: Responder; count: number }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
      asked.push(one);
      const rule = rules.findLast(
        (candidate) => candidate.method === method && path.startsWith(candidate.prefix),
      );
      if (rule === undefined) return json(response, 599, { unexpected: `${method} ${path}` });
      rule.count += 1;
      rule.responder(one, response, rule.count);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const service: FakeService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    askedFor: (prefix) => asked.filter((one) => one.path.startsWith(prefix)),
    on: (method, prefix, responder) => {
      rules.push({ method, prefix, responder, count: 0 });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  service.on('POST', `/${PARTNER_TENANT}/oauth2/v2.0/token`, (_, response) =>
    json(response, 200, tokenAnswer()),
  );
  service.on('POST', `/${CUSTOMER}/oauth2/v2.0/token`, (_, response) => json(response, 200, tokenAnswer()));
  return service;
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

export function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.signature`;
}

export function tokenAnswer(change: object = {}): object {
  const token = jwt({ amr: ['pwd', 'mfa'], jti: Math.random() });
  return { token_type: 'Bearer', expires_in: 3599, access_token: token, refresh_token: 'rotated', ...change };
}

export function microsoftConfig(url: string, change: Partial<MicrosoftConfig> = {}): MicrosoftConfig {
  return {
    authorityUrl: url,
    partnerCenterUrl: url,
    graphUrl: url,
    partnerCenterScope: 'https://api.partnercenter.microsoft.com/.default',
    graphScope: 'https://graph.microsoft.com/.default',
    partnerTenantId: PARTNER_TENANT,
    clientId: '44444444-0000-4000-8000-000000000004',
    clientSecret: new Secret('client-secret'),
    refreshToken: new Secret('first'),
    requireMfa: true,
    adminCenterUrl: url,
    applicationName: 'Customer onboarding',
    customerScopes: ['User.ReadWrite.All'],
    timeoutMs: 2_000,
    ...change,
  };
}

export function connect(
  url: string,
  options: { config?: Partial<MicrosoftConfig>; clock?: Clock; refreshTokens?: RefreshTokenStore } = {},
): Connectors {
  const { config, ...deps } = options;
  const mail = { smtpUrl: new Secret('smtp://127.0.0.1:1'), from: 'onboarding@partner.example' };
  return createConnectors(
    { microsoft: microsoftConfig(url, config), mail },
    { log: silentLogger(), ...deps },
  );
}

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('The call was expected to fail.');
}
