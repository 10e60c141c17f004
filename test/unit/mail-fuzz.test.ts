/** Whatever arrives in a mailbox: nothing raises, nothing hangs, and nobody but a known sender gives a hint. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readMail } from '../../connectors/mailbox.ts';
import { hintOf } from '../../workers/confirmation-mail.ts';
import { drawing } from '../support/drawing.ts';

const TENANT = '6f0c1111-0000-4000-8000-000000000001';
const SENDERS = ['microsoft.com'];
const SUBJECT = 'Contoso Ltd has accepted your reseller relationship request';
const BODY = `Customer (Microsoft) ID: ${TENANT}`;
const source = (headers: readonly string[], body: string) => Buffer.from([...headers, '', body].join('\r\n'));
const hint = async (raw: Buffer) => {
  const mail = await readMail(raw);
  return mail === null ? null : hintOf({ ...mail, id: mail.id ?? 'x', receivedAt: new Date() }, SENDERS);
};

describe('a mail', () => {
  it('of Microsoft is a hint', async () => {
    const raw = source(['From: Microsoft <noreply@microsoft.com>', `Subject: ${SUBJECT}`], BODY);

    expect(await hint(raw)).toEqual({ key: `tenant:${TENANT}`, signal: 'consent.reseller.granted' });
  });

  it.each([
    ['whose name says Microsoft', 'From: "noreply@microsoft.com" <attacker@evil.example>'],
    ['whose domain only begins so', 'From: noreply@microsoft.com.evil.example'],
    ['whose domain only ends so', 'From: noreply@evilmicrosoft.com'],
    ['with two at signs', 'From: <noreply@evil.example@microsoft.com.evil.example>'],
    ['that comes first of two', 'From: a@evil.example, noreply@microsoft.com'],
    ['hidden in a comment', 'From: a@evil.example (noreply@microsoft.com)'],
    ['that says so only to whom it answers', 'Reply-To: noreply@microsoft.com'],
    ['in letters that look alike', 'From: noreply@mіcrosoft.com'],
    ['in a group', 'From: microsoft.com:;'],
  ])('of a sender %s is none', async (_, from) => {
    expect(await hint(source([from, `Subject: ${SUBJECT}`], BODY))).toBeNull();
  });

  it.each([
    ['a subject without end', ['From: a@microsoft.com', `Subject: ${'accepted '.repeat(100_000)}`], BODY],
    ['a megabyte in one line', ['From: a@microsoft.com', `Subject: ${SUBJECT}`], 'reseller '.repeat(120_000)],
    [
      'a thousand nested parts',
      ['From: a@microsoft.com', 'Content-Type: multipart/mixed; boundary=a'],
      '--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n'.repeat(1_000),
    ],
    [
      'a boundary that never comes',
      ['From: a@microsoft.com', 'Content-Type: multipart/mixed; boundary=x'],
      BODY,
    ],
    [
      'a transfer encoding that is none',
      ['From: a@microsoft.com', 'Content-Transfer-Encoding: base64'],
      '%%%%',
    ],
    [
      'a character set nobody knows',
      ['From: a@microsoft.com', 'Content-Type: text/plain; charset=klingon'],
      BODY,
    ],
    [
      'a header within the header',
      [`Subject: ${SUBJECT}\r\nFrom: b@evil.example`, 'From: a@evil.example'],
      BODY,
    ],
    ['nothing', [], ''],
    ['numbers without end', ['From: a@microsoft.com'], `customer ${'6f0c1111-'.repeat(20_000)} accepted`],
    ['a page of deep tags', ['From: a@microsoft.com', 'Content-Type: text/html'], '<div>'.repeat(20_000)],
  ])('with %s is read as far as it goes', async (_, headers, body) => {
    const raw = source(headers, body);
    const mail = await readMail(raw);

    expect((mail?.subject.length ?? 0) <= 1_000 && (mail?.text.length ?? 0) <= 50_000).toBe(true);
    await hint(raw);
  });

  it('of anybody else, with any header and body, is never a hint of consent', async () => {
    const line = fc.string({ unit: 'binary', maxLength: 60 });
    const header = fc.oneof(
      line,
      line.map((text) => `Subject: ${text} ${SUBJECT}`),
      line.map((text) => `Content-Type: ${text}`),
      fc.constantFrom(
        'Content-Type: multipart/mixed; boundary=b',
        'Content-Transfer-Encoding: base64',
        'MIME-Version: 1.0',
      ),
    );
    await drawing(100, (drawn) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(header, { maxLength: 6 }),
          fc.array(line, { maxLength: 6 }),
          async (headers, body) => {
            const forged = ['From: x@evil.example', ...headers.filter((text) => !/^\s*from/i.test(text))];
            const found = await hint(source(forged, [BODY, ...body].join('\r\n')));
            expect(found === null || found.signal === 'invitation.bounced').toBe(true);
          },
        ),
        drawn,
      ),
    );
  });

  it('of any bytes at all neither raises nor hangs', async () => {
    await drawing(200, (drawn) =>
      fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
          await hint(Buffer.from(bytes));
        }),
        drawn,
      ),
    );
  });
});
