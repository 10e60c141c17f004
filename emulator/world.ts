/** The one emulated Microsoft that every service reads and changes, and the means to change it. */
import { randomBytes } from 'node:crypto';
import { createWebhookIdentity, type WebhookIdentity } from './core/certificate.ts';
import { type Clock, createClock } from './core/clock.ts';
import { type Database, type Entity, openDatabase } from './core/database.ts';
import { createFaults, type Faults } from './core/faults.ts';
import { createRandom, type Random } from './core/random.ts';
import { createScheduler, type Scheduler } from './core/scheduler.ts';
import { createDirectoryStore, type DirectoryStore } from './directory/store.ts';
import { createMailStore, type MailStore } from './mail/store.ts';
import {
  DEFAULT_DELAYS,
  DEFAULT_SETTINGS,
  type Delays,
  type ResolvedOptions,
  type Settings,
} from './options.ts';
import { createPartnerCenterStore, type PartnerCenterStore } from './partner-center/store.ts';

export interface Urls {
  readonly authority: string;
  readonly partnerCenter: string;
  readonly graph: string;
  readonly consent: string;
  readonly control: string;
  readonly inbox: string;
  readonly smtp: { readonly host: string; readonly port: number };
}

/** Requests seen by one operation. */
export interface RequestCount extends Entity {
  readonly count: number;
}

/** A repeated request that changed nothing. */
export interface RefusedDuplicate extends Entity {
  readonly at: string;
  readonly operation: string;
  readonly reason: string;
}

export interface World {
  readonly options: ResolvedOptions;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly directory: DirectoryStore;
  readonly partner: PartnerCenterStore;
  readonly mail: MailStore;
  readonly ledger: Ledger;
  /** Known once the emulator listens. */
  urls(): Urls;
  setUrls(urls: Urls): void;
  delay(name: keyof Delays): number;
  changeDelays(change: Partial<Delays>): Delays;
  delays(): Delays;
  settings(): Settings;
  changeSettings(change: Partial<Settings>): Settings;
  keys(): Keys;
  /** Refresh tokens issued before are refused; null when none was revoked. */
  tokensRevokedAt(): number | null;
  revokeTokens(): void;
  /** PEM of the certificate that proves the application, beside its secret; null when none is registered. */
  clientCertificate(): string | null;
  registerClientCertificate(pem: string): void;
}

export interface Ledger {
  countRequest(operation: string): void;
  requests(): Record<string, number>;
  duplicate(operation: string, reason: string): void;
  duplicates(): RefusedDuplicate[];
}

export interface Keys extends Entity {
  readonly tokenSecret: string;
  readonly webhook: WebhookIdentity;
}

interface Kept extends Entity {
  readonly value: unknown;
}

export function createWorld(options: ResolvedOptions, onProblem: (error: unknown) => void): World {
  const database = openDatabase(options.dataFile);
  const clock = createClock(database);
  const random = createRandom(database, options.seed);
  const keys = database.collection<Keys>('keys');
  const kept = database.collection<Kept>('configuration');
  let urls: Urls | undefined;

  const delays = (): Delays => ({
    ...DEFAULT_DELAYS,
    ...defined(options.delays),
    ...(kept.get('delays')?.value as Partial<Delays> | undefined),
  });
  const settings = (): Settings => ({
    ...DEFAULT_SETTINGS,
    ...defined(options.settings),
    ...(kept.get('settings')?.value as Partial<Settings> | undefined),
  });

  return {
    options,
    database,
    clock,
    random,
    scheduler: createScheduler({ database, clock, random, onProblem }),
    faults: createFaults(database, random),
    directory: createDirectoryStore(database),
    partner: createPartnerCenterStore(database),
    mail: createMailStore(database),
    ledger: createLedger(database, clock, random),
    urls: () => {
      if (urls === undefined) throw new Error('The emulator has no URLs before it listens.');
      return urls;
    },
    setUrls: (known) => {
      urls = known;
    },
    delays,
    delay: (name) => delays()[name],
    changeDelays: (change) => {
      kept.put({ id: 'delays', value: { ...(kept.get('delays')?.value ?? {}), ...defined(change) } });
      return delays();
    },
    settings,
    changeSettings: (change) => {
      kept.put({ id: 'settings', value: { ...(kept.get('settings')?.value ?? {}), ...defined(change) } });
      return settings();
    },
    keys: () =>
      keys.get('keys') ??
      keys.put({
        id: 'keys',
        tokenSecret: randomBytes(32).toString('hex'),
        webhook: createWebhookIdentity(clock.now()),
      }),
    tokensRevokedAt: () => (kept.get('tokens-revoked')?.value as number | undefined) ?? null,
    revokeTokens: () => {
      kept.put({ id: 'tokens-revoked', value: clock.now() });
    },
    clientCertificate: () =>
      (kept.get('client-certificate')?.value as string | undefined) ?? options.clientCertificate ?? null,
    registerClientCertificate: (pem) => {
      kept.put({ id: 'client-certificate', value: pem });
    },
  };
}

function createLedger(database: Database, clock: Clock, random: Random): Ledger {
  const counts = database.collection<RequestCount>('request-counts');
  const duplicates = database.collection<RefusedDuplicate>('refused-duplicates');
  return {
    countRequest: (operation) => {
      counts.put({ id: operation, count: (counts.get(operation)?.count ?? 0) + 1 });
    },
    requests: () => Object.fromEntries(counts.all().map((row) => [row.id, row.count])),
    duplicate: (operation, reason) => {
      duplicates.put({ id: random.guid(), at: clock.iso(), operation, reason });
    },
    duplicates: () => duplicates.all(),
  };
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>;
}
