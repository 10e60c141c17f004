/** The SMTP sink: takes every mail, stores it durably before it says yes. */
import { type AddressObject, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { World } from '../world.ts';
import { invitationLinks, storeMail } from './helpers.ts';

export interface MailSink {
  listen(port: number, host: string): Promise<number>;
  close(): Promise<void>;
}

const MAX_BYTES = 5 * 1024 * 1024;

export function createMailSink(world: World): MailSink {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, callback) => callback(null, { user: auth.username ?? 'anyone' }),
    disableReverseLookup: true,
    size: MAX_BYTES,
    logger: false,
    closeTimeout: 500,
    onData: (stream, session, callback) => {
      const to = session.envelope.rcptTo.map((recipient) => recipient.address);
      receive(world, stream, to).then(
        () => callback(),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  // a client that drops its connection is no reason to stop
  server.on('error', () => undefined);
  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.server.once('error', reject);
        server.listen(port, host, () => {
          server.server.removeListener('error', reject);
          const address = server.server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function receive(world: World, stream: NodeJS.ReadableStream, to: string[]): Promise<void> {
  const parsed = await simpleParser(stream as Parameters<typeof simpleParser>[0] & NodeJS.ReadableStream);
  const mail = storeMail(world, {
    messageId: parsed.messageId ?? null,
    from: parsed.from?.text ?? '',
    to: to.length > 0 ? to : addresses(parsed.to),
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: parsed.html === false ? null : (parsed.html ?? null),
    origin: 'smtp',
    attachments: parsed.attachments.map((attachment) => ({
      filename: attachment.filename ?? 'unnamed',
      contentType: attachment.contentType,
      bytes: attachment.size,
    })),
  });
  const { autoConsent } = world.options;
  if (autoConsent !== undefined && invitationLinks(world, mail).length > 0) {
    world.scheduler.schedule('auto-consent', autoConsent.afterMs, { mailId: mail.id });
  }
  world.database.commit();
}

function addresses(to: AddressObject | AddressObject[] | undefined): string[] {
  const objects = to === undefined ? [] : Array.isArray(to) ? to : [to];
  return objects.flatMap((object) => object.value.map((entry) => entry.address ?? ''));
}
