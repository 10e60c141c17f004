import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

/** Names whose values never reach a log line, at the top and two levels deep (`*` reaches one level only). */
const SECRET_NAMES = [
  'password',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'authorization',
  'apiKey',
  'clientSecret',
  'access_token',
  'refresh_token',
  'client_secret',
  'userCredentials',
  'mailBody',
];
const REDACTED = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

export interface LoggerOptions {
  readonly name: string;
  readonly level?: string;
}

/** One JSON line an event, UTC, secrets redacted by name. */
export function createLogger(options: LoggerOptions): Logger {
  return pino({
    name: options.name,
    level: options.level ?? 'info',
    redact: { paths: REDACTED, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}

/** A logger that says nothing, for tests and libraries. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
