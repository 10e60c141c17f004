import { describe, expect, it } from '@jest/globals';
import type { Connectors, MailSent, OutgoingMail } from '../../connectors/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { sendInvitation } from '../../workers/activities/send-invitation.ts';
import { activityContext } from '../support/emulated-microsoft.ts';

const INPUT = {
  kind: 'invitation',
  to: ['it@contoso.example'],
  subject: 'Hello',
  body: 'Two links.',
} as const;

function mailer(send: (mail: OutgoingMail) => Promise<MailSent>) {
  const mails: OutgoingMail[] = [];
  const mail = {
    send: (outgoing: OutgoingMail) => {
      mails.push(outgoing);
      return send(outgoing);
    },
  };
  const activity = sendInvitation({
    connectors: { mail } as unknown as Connectors,
    config: null as never,
    client: () => ({}) as never,
  });
  return { activity, mails };
}

const receipt = async ({ messageKey }: OutgoingMail): Promise<MailSent> => ({
  messageId: `<${messageKey}@partner.example>`,
  accepted: [],
  rejected: [],
});

describe('sending an invitation', () => {
  it('derives the id of the mail from the idempotency key', async () => {
    const { activity, mails } = mailer(receipt);
    const context = activityContext();

    await activity.run(INPUT as never, context);

    expect(mails).toMatchObject([{ messageKey: context.idempotencyKey, to: INPUT.to, text: INPUT.body }]);
  });

  it('is known to be done when the receipt was noted before the worker died', async () => {
    const { activity } = mailer(receipt);
    const first = activityContext();
    const output = await activity.run(INPUT as never, first);

    const progress = JSON.parse(JSON.stringify(first.heartbeats.at(-1)));
    const found = await activity.verify?.(INPUT as never, activityContext({ attempt: 2, progress }));

    expect(found).toEqual({ outcome: 'done', output });
  });

  it('is known not to be done when the mail server was not spoken to', async () => {
    const { activity } = mailer(receipt);

    expect(await activity.verify?.(INPUT as never, activityContext({ attempt: 2 }))).toEqual({
      outcome: 'not-done',
    });
  });

  it('stays unknown when the connection broke on the way', async () => {
    const { activity } = mailer(() =>
      Promise.reject(new ActivityFailure('unknown', 'mail-no-answer', 'gone')),
    );
    const first = activityContext();
    await expect(activity.run(INPUT as never, first)).rejects.toMatchObject({ kind: 'unknown' });

    const found = await activity.verify?.(
      INPUT as never,
      activityContext({ attempt: 2, progress: first.heartbeats.at(-1) }),
    );

    expect(found).toMatchObject({ outcome: 'unknown' });
  });

  it('is not taken for under way because of an earlier sending that was refused', async () => {
    const { activity } = mailer(receipt);
    const earlier = activityContext({ answers: 0 });
    await earlier.heartbeat({ key: earlier.idempotencyKey, sent: null });

    const context = activityContext({ attempt: 3, answers: 1, progress: earlier.heartbeats.at(-1) });

    expect(await activity.verify?.(INPUT as never, context)).toEqual({ outcome: 'not-done' });
  });
});

describe('the mail itself', () => {
  it('goes out as text and as HTML of the same words, with nothing but addresses as markup', async () => {
    const { activity, mails } = mailer(receipt);
    const body = 'Dear <b>Söhne & Co</b>,\n\n1. Accept\n   https://admin.example/a?x=1&y="2"\n\nRegards';

    await activity.run({ ...INPUT, body } as never, activityContext());

    const [{ text, html } = { text: '', html: '' }] = mails;
    expect(text).toBe(body);
    expect(html).toContain('<p>Dear &lt;b&gt;Söhne &amp; Co&lt;/b&gt;,</p>');
    expect(html).toContain(
      '<a href="https://admin.example/a?x=1&amp;y=">https://admin.example/a?x=1&amp;y=</a>&quot;2&quot;',
    );
    expect(html).not.toContain('<b>');
  });

  it('reports the recipients that were refused', async () => {
    const { activity } = mailer(async (mail) => ({
      ...(await receipt(mail)),
      rejected: ['gone@contoso.example'],
    }));

    const output = await activity.run(INPUT as never, activityContext());

    expect(output).toMatchObject({ rejected: ['gone@contoso.example'] });
  });
});
