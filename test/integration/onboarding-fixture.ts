/** One worker on real Redis with the emulator beside it, and start forms whose intervals are milliseconds. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { type EmulatorOptions, PARTNER } from '../../emulator/index.ts';
import {
  checkStore,
  createClient,
  createEngine,
  createMigrations,
  createOperations,
  createRedisStore,
  createRegistry,
  type Migrations,
  type Operations,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { createSecretBox, type SecretBox } from '../../shared/secrets.ts';
import { createRefreshTokenStore } from '../../workers/refresh-tokens.ts';
import { type RunningWorker, startWorker } from '../../workers/worker.ts';
import { allWorkflows } from '../../workflows/index.ts';
import { LEAST_ROLES } from '../../workflows/start-form.ts';
import { type EmulatedMicrosoft, startEmulatedMicrosoft } from '../support/emulated-microsoft.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

export const QUICK = {
  relationshipVisible: 20,
  gdapReplication: 5,
  gdapLock: 5,
  gdapActivation: 20,
  assignmentActivation: 10,
  consentPropagation: 10,
  customerReady: 20,
  vetting: 60,
  orderListed: 5,
  orderCompletion: 20,
  provisioningStatus: 10,
  seatsVisible: 20,
  subscriptionChange: 20,
  userVisible: 5,
  licenceVisible: 5,
  confirmationMail: 5,
};

export const SETTINGS = {
  consentPollMs: 40,
  consentHintPollMs: 20,
  accessPollMs: 20,
  accessSettleMs: 20,
  customerPollMs: 20,
  agreementPollMs: 50,
  vettingPollMs: 20,
  orderLookupMs: 30,
  orderPollMs: 20,
  seatsPollMs: 20,
  licenceRetryMs: 30,
  domainPollMs: 50,
  syncPollMs: 50,
};

const EMS = { productId: 'CFQ7TTC0LHT4', skuId: '0001', name: 'Enterprise Mobility + Security E3' };
const OFFICE = { productId: 'CFQ7TTC0LF8R', skuId: '0001', name: 'Office 365 E3' };
export const ems = (quantity: number) =>
  ({ ...EMS, quantity, termDuration: 'P1Y', billingCycle: 'monthly' }) as const;
export const office = (quantity: number) =>
  ({ ...OFFICE, quantity, termDuration: 'P1Y', billingCycle: 'monthly' }) as const;

/** The parts of a start form that all paths share. */
export const COMMON = {
  partner: {
    name: PARTNER.name,
    roles: [...LEAST_ROLES],
    access: [{ groupId: PARTNER.securityGroupId, roles: [...LEAST_ROLES] }],
  },
  licences: { mode: 'all', usageLocation: 'US' },
  directory: { model: 'cloud-only' },
  settings: SETTINGS,
} as const;

export const ATTESTED = {
  'admin-access': 'Grace, Global Administrator, will authorise us.',
  identities: 'Cloud-only, said Grace on the phone.',
};

export const NEW_CUSTOMER = {
  name: 'Adventure Works',
  domainPrefix: 'adventureworks',
  contact: {
    firstName: 'Ada',
    lastName: 'Meyer',
    email: 'ada@adventure-works.example',
    phoneNumber: '4255550100',
  },
  address: { line1: '1 Example Way', city: 'Redmond', state: 'WA', postalCode: '98052', country: 'US' },
};

export interface Onboarding {
  readonly worker: RunningWorker;
  readonly client: RunningWorker['client'];
  readonly microsoft: EmulatedMicrosoft;
  readonly redis: Redis;
  readonly namespace: string;
  readonly secretBox: SecretBox;
  books(): Books;
  /** As the API has them: of an engine without dispatch, on the same store. */
  readonly operations: Operations;
  readonly migrations: Migrations;
  unpark(key: string, signalId: string): Promise<void>;
  /** `code` says why, as a connector or the daily check would; default a dead refresh token. */
  pauseQueue(queue: string, reason: string, code?: string): Promise<void>;
  /** Everything this namespace holds in Redis, as text. */
  dump(): Promise<string>;
  close(): Promise<void>;
}

export interface Books {
  readonly tenantsCreated: readonly string[];
  /** How often each operation was called. */
  readonly requests: Readonly<Record<string, number>>;
  readonly orders: readonly {
    readonly id: string;
    readonly customerId: string;
    readonly lines: readonly { readonly skuPartNumber: string; readonly quantity: number }[];
  }[];
  readonly carts: readonly { readonly status: string }[];
  readonly subscriptions: readonly {
    readonly tenantId: string;
    readonly skuPartNumber: string;
    readonly quantity: number;
    readonly soldBy: string;
  }[];
  readonly licences: readonly {
    readonly tenantId: string;
    readonly userPrincipalName: string;
    readonly skuPartNumber: string;
  }[];
  readonly relationships: readonly {
    readonly tenantId: string;
    readonly status: string;
    readonly displayName: string;
  }[];
  readonly duplicatesRefused: readonly { readonly operation: string; readonly reason: string }[];
}

export async function startOnboarding(emulated: EmulatorOptions = {}): Promise<Onboarding> {
  const namespace = testNamespace();
  const log = silentLogger();
  const redis = createRedis(testRedisUrl(), 'worker', { log });
  const secretBox = createSecretBox({ key: Buffer.alloc(32, 7) });
  const refreshTokens = createRefreshTokenStore({ redis, namespace, secretBox, log });
  const microsoft = await startEmulatedMicrosoft({
    ...emulated,
    delays: { ...QUICK, ...emulated.delays },
    refreshTokens,
    log,
    client: () => worker.client,
  });
  const stateDir = mkdtempSync(join(tmpdir(), 'state-'));
  const { epoch } = await checkStore({
    redis,
    namespace,
    shards: 2,
    stateDir,
    process: 'worker',
    acceptStore: false,
  });
  const store = createRedisStore({ redis, namespace, shards: 2 });
  const { activities } = microsoft;
  const worker: RunningWorker = await startWorker({
    redis,
    store,
    namespace,
    workflows: allWorkflows,
    activities,
    log,
    secretBox,
    epoch,
  });
  const engine = createEngine({ store, registry: createRegistry(allWorkflows), log });
  return {
    worker,
    client: worker.client,
    operations: createOperations(engine, createClient(engine)),
    migrations: createMigrations(engine),
    unpark: (key, signalId) => store.unpark(key, signalId),
    microsoft,
    redis,
    namespace,
    secretBox,
    books: () => microsoft.emulator.books() as unknown as Books,
    pauseQueue: (queue, reason, code = 'aadsts-700082') => store.pauseQueue({ queue, code, reason }),
    dump: () => dump(redis, namespace),
    async close() {
      await worker.stop(1_000);
      await store.close();
      await microsoft.close();
      await closeRedis(redis);
    },
  };
}

async function dump(redis: Redis, namespace: string): Promise<string> {
  const keys = (await redis.keys('*')).filter((key) => key.includes(namespace));
  const parts = await Promise.all(keys.map(async (key) => `${key} ${(await read(redis, key)) ?? ''}`));
  return parts.join('\n');
}

async function read(redis: Redis, key: string): Promise<string | null> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return null;
  }
}
