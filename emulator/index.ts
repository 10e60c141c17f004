/**
 * The emulator: a program of its own that stands in for Microsoft (authority, Partner Center, Graph, webhooks, consent
 * pages) and for mail. It imports nothing of the product; the product reaches it over HTTP and SMTP only.
 */
import { createServer, type RequestListener } from 'node:http';
import { createAuthority } from './authority/index.ts';
import { createConsent } from './consent/index.ts';
import { books } from './control/books.ts';
import { createControl } from './control/index.ts';
import type { FaultInput } from './core/faults.ts';
import { type Operation, Refusal, type Reply, type Service } from './core/http.ts';
import { createListener, perform } from './core/server.ts';
import { createGraph } from './graph/index.ts';
import { createMail } from './mail/index.ts';
import { createMailSink } from './mail/sink.ts';
import { type EmulatorOptions, emulatorOptions } from './options.ts';
import { createPartnerCenter } from './partner-center/index.ts';
import { seed } from './seed.ts';
import { createWorld, type Urls, type World } from './world.ts';

export { DEFAULT_CLIENT, type EmulatorOptions, PARTNER, SEED_TENANTS } from './options.ts';
export type { Urls } from './world.ts';

export interface Emulator {
  /** The request listener of all services, for a server of one's own. */
  readonly app: RequestListener;
  /** Opens HTTP and SMTP; pending effects of an earlier life begin to run. */
  listen(): Promise<Urls>;
  close(): Promise<void>;
  urls(): Urls;
  /** Every registered operation, by service. */
  readonly operations: readonly Operation[];
  books(): Record<string, unknown>;
  addFault(fault: FaultInput): void;
  /** PEM of the root that a webhook verifier must trust. */
  webhookRootPem(): string;
  /** The emulated Microsoft itself, for tests that need to look closer. */
  readonly world: World;
}

export function createEmulator(input: EmulatorOptions = {}): Emulator {
  const options = emulatorOptions.parse(input);
  const world = createWorld(options, (error) =>
    process.emitWarning(error instanceof Error ? error : String(error)),
  );
  if (world.directory.tenants.all().length === 0) seed(world);
  world.keys();
  world.database.commit();
  const reset = (): void => {
    world.database.clear(['keys']);
    seed(world);
  };
  const services: readonly Service[] = servicesOf(world, reset);
  const app = createListener(world, services);
  const server = createServer(app);
  const sink = createMailSink(world);

  return {
    app,
    world,
    operations: services.flatMap((service) => service.operations),
    urls: () => world.urls(),
    books: () => books(world),
    addFault: (fault) => {
      world.faults.add(fault);
      world.database.commit();
    },
    webhookRootPem: () => world.keys().webhook.rootPem,
    listen: async () => {
      const smtpPort = await sink.listen(options.smtpPort, options.host);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port, options.host, () => {
          server.removeListener('error', reject);
          resolve();
        });
      });
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : options.port;
      const base = options.publicUrl?.replace(/\/$/, '') ?? `http://${options.host}:${port}`;
      world.setUrls({
        authority: `${base}/login`,
        partnerCenter: `${base}/pc`,
        graph: `${base}/graph`,
        consent: `${base}/admin`,
        control: `${base}/control`,
        inbox: `${base}/inbox`,
        smtp: { host: options.host, port: smtpPort },
      });
      world.scheduler.start();
      return world.urls();
    },
    close: async () => {
      await world.scheduler.stop();
      await sink.close();
      server.closeAllConnections();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
      world.database.commit();
      world.database.close();
    },
  };
}

function servicesOf(world: World, reset: () => void): Service[] {
  const graph: Service = createGraph(world, async (incoming): Promise<Reply> => {
    const outcome = await perform(world, graph, incoming, Buffer.alloc(0));
    if (outcome.kind === 'reply') return outcome.reply;
    throw new Refusal({ status: 504, json: { error: { code: 'UnknownError', message: 'No answer.' } } });
  });
  return [
    createAuthority(world),
    createPartnerCenter(world),
    graph,
    createConsent(world),
    createMail(world),
    createControl(world, reset),
  ];
}
