/** Starts the emulator from the environment; prints one JSON line with the URLs when it is ready. */
import { writeFileSync } from 'node:fs';
import { createEmulator } from './index.ts';

function numberOf(name: string, fallback: number): number {
  const value = process.env[name];
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (!Number.isFinite(number)) throw new Error(`${name} must be a number.`);
  return number;
}

function textOf(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value === '' ? undefined : value;
}

function jsonOf<T>(name: string): T | undefined {
  const value = textOf(name);
  return value === undefined ? undefined : (JSON.parse(value) as T);
}

const autoConsent = textOf('EMULATOR_AUTO_CONSENT_MS');
const emulator = createEmulator({
  host: textOf('EMULATOR_HOST') ?? '127.0.0.1',
  port: numberOf('EMULATOR_PORT', numberOf('PORT', 4000)),
  smtpPort: numberOf('EMULATOR_SMTP_PORT', 4025),
  publicUrl: textOf('EMULATOR_PUBLIC_URL'),
  dataFile: textOf('EMULATOR_DATA_FILE'),
  seed: textOf('EMULATOR_SEED'),
  clientId: textOf('EMULATOR_CLIENT_ID'),
  clientSecret: textOf('EMULATOR_CLIENT_SECRET'),
  clientCertificate: textOf('EMULATOR_CLIENT_CERTIFICATE'),
  refreshToken: textOf('EMULATOR_REFRESH_TOKEN'),
  delays: jsonOf('EMULATOR_DELAYS'),
  settings: jsonOf('EMULATOR_SETTINGS'),
  faults: jsonOf('EMULATOR_FAULTS'),
  autoConsent: autoConsent === undefined ? undefined : { afterMs: Number(autoConsent) },
});

const urls = await emulator.listen();
const rootFile = textOf('EMULATOR_WEBHOOK_ROOT_FILE');
if (rootFile !== undefined) writeFileSync(rootFile, emulator.webhookRootPem(), { mode: 0o600 });
process.stdout.write(`${JSON.stringify({ msg: 'ready', ...urls })}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void emulator.close().then(() => process.exit(0));
  });
}
