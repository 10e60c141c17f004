import type { Database } from '../core/database.ts';
import type { Mail } from './entities.ts';

export function createMailStore(database: Database) {
  return { mails: database.collection<Mail>('mails') };
}

export type MailStore = ReturnType<typeof createMailStore>;
