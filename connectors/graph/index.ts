import type { MicrosoftConfig } from '../../shared/config.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Identity } from '../identity.ts';
import { directory } from './directory.ts';
import { gdap } from './gdap.ts';
import { licences } from './licences.ts';
import { messages } from './messages.ts';
import { createGraphCalls } from './service.ts';
import { tenants } from './tenants.ts';
import { users } from './users.ts';

/** Microsoft Graph, one group of calls per resource. Every call raises ActivityFailure and nothing else. */
export function createGraph(config: MicrosoftConfig, deps: { identity: Identity; log: Logger }) {
  const calls = createGraphCalls(config, deps);
  return {
    directory: directory(calls),
    gdap: gdap(calls),
    licences: licences(calls),
    messages: messages(calls),
    tenants: tenants(calls),
    users: users(calls),
  };
}

export type Graph = ReturnType<typeof createGraph>;
