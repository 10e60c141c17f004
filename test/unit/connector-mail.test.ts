import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { createMail, type Mail } from '../../connectors/mail.ts';
import { silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';
import { failureOf } from './connector-fake-service.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const mail = {
  to: ['ga@contoso.example'],
  subject: 'Your reseller',
  text: 'Please accept',
  html: '<p>Please accept</p>',
  messageKey: 'key-1',
};

function connect(port: number, credentials = ''): Mail {
  const smtpUrl = new Secret(`smtp://${credentials}127.0.0.1:${port}`);
  const connector = createMail(
    { smtpUrl, from: 'Onboarding <onboarding@partner.example>' },
    { log: silentLogger() },
  );
  cleanUp.push(() => connector.close());
  return connector;
}

async function smtp(options: SMTPServerOptions = {}): Promise<{ port: number; received: string[] }> {
  const received: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      stream.on('end', () => {
        received.push(text);
        done();
      });
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  cleanUp.push(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, received };
}

describe('a mail', () => {
  it('goes out in both forms under an id that its key determines', async () => {
    const { port, received } = await smtp();

    const sent = await connect(port).send(mail);

    expect(sent).toEqual({
      messageId: '<key-1@partner.example>',
      accepted: ['ga@contoso.example'],
      rejected: [],
    });
    expect(received[0]).toMatch(/multipart\/alternative/);
    expect(received[0]).toMatch(/From: Onboarding <onboarding@partner.example>/);
  });

  it('reports recipients that were rejected while others were accepted', async () => {
    const { port } = await smtp({
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('bad') ? new Error('no such user') : undefined),
    });

    const sent = await connect(port).send({ ...mail, to: ['ga@contoso.example', 'bad@contoso.example'] });

    expect(sent).toMatchObject({ accepted: ['ga@contoso.example'], rejected: ['bad@contoso.example'] });
  });

  const refusal = (code: number) => Object.assign(new Error('refused'), { responseCode: code });

  it('that the server refuses for now is tried again, and for good is not', async () => {
    const later = await smtp({ onMailFrom: (_address, _session, done) => done(refusal(451)) });
    const never = await smtp({ onRcptTo: (_address, _session, done) => done(refusal(550)) });

    expect(await failureOf(connect(later.port).send(mail))).toMatchObject({
      kind: 'retryable',
      code: 'mail-smtp-451',
    });
    expect(await failureOf(connect(never.port).send(mail))).toMatchObject({
      kind: 'terminal',
      code: 'mail-smtp-550',
    });
  });

  it('met by a refused sign-in pauses the queue', async () => {
    const { port } = await smtp({ onAuth: (_auth, _session, done) => done(new Error('Invalid login')) });

    expect(await failureOf(connect(port, 'user:wrong@').send(mail))).toMatchObject({
      kind: 'terminal',
      code: 'mail-sign-in-refused',
      pausesQueue: 'mail',
    });
  });

  it('without a server to take it was surely not sent', async () => {
    expect(await failureOf(connect(1).send(mail))).toMatchObject({
      kind: 'retryable',
      code: 'mail-unreachable',
    });
  });

  it('cut off while it is handed over may have been sent', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write('220 hello\r\n');
      let isTaking = false;
      socket.on('data', (chunk) => {
        if (isTaking) return socket.destroy();
        isTaking = chunk.toString('latin1').startsWith('DATA');
        return socket.write(isTaking ? '354 go\r\n' : '250 ok\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });

    const failure = await failureOf(connect((server.address() as AddressInfo).port).send(mail));

    expect(failure).toMatchObject({ kind: 'unknown', code: 'mail-no-answer' });
  });
});
