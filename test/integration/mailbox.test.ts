/** Microsoft's confirmation mails, read through Graph and through IMAP, as hints and nothing more. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createConnectors, type Mailbox } from '../../connectors/index.ts';
import { PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';
import { lookIntoMailbox } from '../../workers/mailbox-watch.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { eventually } from '../support/eventually.ts';
import { stretchOf } from '../support/play.ts';
import { ATTESTED, COMMON, ems, type Onboarding, SETTINGS, startOnboarding } from './onboarding-fixture.ts';

const log = silentLogger();
const senders = ['microsoft.com'];
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function mailboxAt(onboarding: Onboarding, url: string): Mailbox {
  const config = { ...onboarding.microsoft.config, mailbox: { url: new Secret(url) } };
  const connectors = createConnectors(config, { log });
  cleanups.push(() => connectors.close());
  if (connectors.mailbox === null) throw new Error('no mailbox');
  return connectors.mailbox;
}

async function started(): Promise<Onboarding> {
  const onboarding = await startOnboarding();
  cleanups.push(() => onboarding.close());
  return onboarding;
}

describe('a confirmation in the Admin Agent’s mailbox', () => {
  it('makes the relationship be read at once, long before any poll, and counts once', async () => {
    const onboarding = await started();
    const { client, microsoft, redis, namespace } = onboarding;
    const never = 3_600_000;
    const { instance } = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'send', to: ['it@contoso.example'] },
      order: { lines: [ems(25)] },
      attested: ATTESTED,
      settings: { ...SETTINGS, consentPollMs: never },
    } as never);
    const consent = async () => {
      const view = await stretchOf(client, instance.id, 'consent');
      const context = view?.context as
        | { commerceGranted?: boolean; idlePolls?: { commerce: number } }
        | undefined;
      return { view, context };
    };
    // The reading that entering the wait begins with is over, and found nothing.
    await eventually(async () => expect((await consent()).context?.idlePolls?.commerce).toBe(1));
    await microsoft.control('/consents/reseller/accept', {
      tenantId: SEED_TENANTS.contoso,
      signAgreement: false,
    });
    const mailbox = mailboxAt(onboarding, `graph://${PARTNER.adminUpn}`);
    await eventually(async () => expect(await mailbox.receivedSince(new Date(0))).toHaveLength(1));
    expect((await consent()).context?.commerceGranted).toBe(false);

    const look = () => lookIntoMailbox({ mailbox, client, redis, namespace, senders, log });
    expect(await look()).toBe(1);

    await eventually(async () => expect((await consent()).context?.commerceGranted).toBe(true));
    const revision = (await consent()).view?.revision;
    expect(await look()).toBe(1);
    expect((await consent()).view?.revision).toBe(revision);
  });

  it('that lies is found out by reading, and changes nothing', async () => {
    const onboarding = await started();
    const { client, microsoft, redis, namespace } = onboarding;
    const { instance } = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'send', to: ['it@contoso.example'] },
      order: { lines: [ems(25)] },
      attested: ATTESTED,
    } as never);
    await eventually(async () =>
      expect(
        microsoft.emulator.world.mail.mails.all().some(({ to }) => to.includes('it@contoso.example')),
      ).toBe(true),
    );
    microsoft.emulator.world.mail.mails.put({
      id: 'forged',
      messageId: '<forged@microsoft.com>',
      from: 'Microsoft <noreply@microsoft.com>',
      to: [PARTNER.adminUpn],
      subject: 'Contoso Ltd has accepted your reseller relationship request',
      text: `Customer ID: ${SEED_TENANTS.contoso}`,
      html: null,
      receivedAt: new Date().toISOString(),
      origin: 'microsoft',
      attachments: [],
    });
    const mailbox = mailboxAt(onboarding, `graph://${PARTNER.adminUpn}`);

    expect(await lookIntoMailbox({ mailbox, client, redis, namespace, senders, log })).toBe(1);

    const root = await client.describe(instance.id);
    expect(root?.status).toBe('running');
    const consent = await stretchOf(client, instance.id, 'consent');
    const context = consent?.context as { commerceGranted: boolean };
    expect(context.commerceGranted).toBe(false);
  });
});

const SOURCE = [
  'Message-ID: <m1@microsoft.com>',
  'From: Microsoft <Noreply@Microsoft.com>',
  'To: admin@partner.example',
  'Subject: =?utf-8?Q?S=C3=B6hne_GmbH_has_accepted_your_reseller_relationship_request?=',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<p>It is in place.</p>',
  '',
].join('\r\n');

/** As much of IMAP4rev1 as one reading takes (RFC 3501). */
async function imapServer(): Promise<{ url: string; said: string[]; server: Server }> {
  const said: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) answer(socket, line);
    });
  });
  function answer(socket: Socket, line: string): void {
    said.push(line);
    const [tag = '', ...words] = line.split(' ');
    const command = words.join(' ').toUpperCase();
    const reply = (...untagged: string[]) =>
      socket.write(`${[...untagged.map((text) => `* ${text}`), `${tag} OK done`].join('\r\n')}\r\n`);
    if (command.startsWith('LOGIN') && !line.includes('secret')) {
      socket.write(`${tag} NO [AUTHENTICATIONFAILED] wrong\r\n`);
    } else if (command.startsWith('CAPABILITY')) reply('CAPABILITY IMAP4rev1');
    else if (command.startsWith('EXAMINE') || command.startsWith('SELECT')) {
      reply('FLAGS (\\Seen)', '1 EXISTS', '0 RECENT', 'OK [UIDVALIDITY 1] ok', 'OK [UIDNEXT 8] ok');
    } else if (command.startsWith('UID SEARCH')) reply('SEARCH 7');
    else if (command.startsWith('UID FETCH')) {
      const date = '"02-Nov-2026 10:00:00 +0000"';
      const size = Buffer.byteLength(SOURCE);
      const name = /BODY(?:\.PEEK)?(\[\](?:<0\.\d+>)?)/.exec(command)?.[1] ?? '[]';
      const part = `BODY${name.replace(/\.\d+>/, '>')}`;
      reply(`1 FETCH (UID 7 INTERNALDATE ${date} ${part} {${size}}\r\n${SOURCE})`);
    } else if (command.startsWith('LIST') || command.startsWith('LSUB'))
      reply('LIST (\\HasNoChildren) "/" INBOX');
    else reply();
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, said, server };
}

describe('an IMAP mailbox', () => {
  it('is read without a change to it, whatever form a mail has', async () => {
    const onboarding = await started();
    const { url, said } = await imapServer();

    const mails = await mailboxAt(onboarding, `imap://admin:secret@${url}/INBOX`).receivedSince(
      new Date('2026-11-01'),
    );

    expect(mails).toEqual([
      {
        id: '<m1@microsoft.com>',
        from: 'noreply@microsoft.com',
        subject: 'Söhne GmbH has accepted your reseller relationship request',
        text: 'It is in place.',
        receivedAt: new Date('2026-11-02T10:00:00Z'),
      },
    ]);
    expect(said.join('\n')).not.toMatch(/STORE|EXPUNGE|SELECT/i);
  });

  it('that refuses the sign-in or is away says so', async () => {
    const onboarding = await started();
    const { url, server } = await imapServer();
    const wrong = mailboxAt(onboarding, `imap://admin:wrong@${url}`).receivedSince(new Date());
    await expect(wrong).rejects.toMatchObject({ kind: 'terminal', code: 'mailbox-sign-in-refused' });
    server.close();

    const away = mailboxAt(onboarding, `imap://admin:secret@${url}`).receivedSince(new Date());

    await expect(away).rejects.toMatchObject({ kind: 'retryable', code: 'mailbox-unreachable' });
  });
});
