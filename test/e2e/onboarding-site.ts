/** The page over the real API, a worker and the emulator: what staff would have before them. */
import { createHash, randomBytes } from 'node:crypto';
import { createApp } from '../../api/app.ts';
import type { EmulatorOptions } from '../../emulator/index.ts';
import { createRegistry } from '../../engine/index.ts';
import type { Role } from '../../shared/config.ts';
import { silentLogger } from '../../shared/logger.ts';
import { allWorkflows, startable } from '../../workflows/index.ts';
import { type Onboarding, SETTINGS, startOnboarding } from '../integration/onboarding-fixture.ts';
import { buildDashboard, openSite, type Site } from './browser.ts';

const ROLES: readonly Role[] = ['viewer', 'operator', 'approver'];

export interface OnboardingSite {
  readonly site: Site;
  readonly onboarding: Onboarding;
  readonly tokens: Readonly<Record<Role, string>>;
  /** What the API says of the age of the sign-in. */
  signInRenewedAt: number | null;
  close(): Promise<void>;
}

export async function openOnboardingSite(
  executablePath: string,
  emulated: EmulatorOptions = {},
): Promise<OnboardingSite> {
  const built = buildDashboard();
  const onboarding = await startOnboarding(emulated);
  const { client, secretBox } = onboarding;
  const tokens = Object.fromEntries(
    ROLES.map((role) => [role, `wfk_${randomBytes(16).toString('hex')}`]),
  ) as Record<Role, string>;
  const opened: { signInRenewedAt: number | null } = { signInRenewedAt: null };
  const app = createApp({
    client,
    operations: onboarding.operations,
    migrations: onboarding.migrations,
    registry: createRegistry(allWorkflows),
    workflows: startable,
    auth: {
      keys: ROLES.map((role) => ({
        name: role,
        role,
        sha256: createHash('sha256').update(tokens[role]).digest('hex'),
      })),
      fourEyes: false,
      demoKey: null,
    },
    webhookVerifier: {
      verify: () => Promise.resolve({ outcome: 'refused', reason: 'signature-wrong', status: 401 }),
    },
    secretBox,
    log: silentLogger(),
    health: {
      store: () => Promise.resolve({ durable: true }),
      workers: () => client.liveWorkers(),
      signInRenewedAt: () => Promise.resolve(opened.signInRenewedAt),
      draining: () => false,
    },
    unpark: (key, signalId) => onboarding.unpark(key, signalId),
    dashboardDir: built.dist,
    publicUrl: null,
    startDefaults: { settings: SETTINGS, licences: { mode: 'all' }, directory: { model: 'cloud-only' } },
    limits: { perKey: 100_000, perAddress: 100_000, failures: 100_000, reveals: 1_000, webhooks: 100_000 },
    checkResponses: true,
  });
  const site = await openSite(app, executablePath);
  return Object.assign(opened, {
    site,
    onboarding,
    tokens,
    async close() {
      await site.close();
      await onboarding.close();
      built.remove();
    },
  });
}
