import { describe, expect, it } from '@jest/globals';
import { hintOf } from '../../workers/confirmation-mail.ts';

const TENANT = '6f0c1111-0000-4000-8000-000000000001';
const RELATIONSHIP = `a1b2c3d4-1111-4222-8333-444455556666-${TENANT}`;
const MICROSOFT = ['microsoft.com'];
const mail = (subject: string, text: string, from = 'microsoft-noreply@microsoft.com') => ({
  id: '<1@microsoft.com>',
  from,
  subject,
  text,
  receivedAt: new Date('2026-11-02T10:00:00Z'),
});
const accepted = 'Contoso Ltd has accepted your reseller relationship request';

describe('a confirmation mail', () => {
  it.each([
    [
      'of a reseller relationship, by the tenant it names',
      mail(accepted, `Customer (Microsoft) ID: ${TENANT.toUpperCase()}`),
      'consent.reseller.granted',
      `tenant:${TENANT}`,
    ],
    [
      'of an admin relationship, by the tenant',
      mail('Contoso Ltd has accepted your admin relationship (GDAP) request', `Customer ID: ${TENANT}`),
      'consent.admin.granted',
      `tenant:${TENANT}`,
    ],
    [
      'that names the relationship',
      mail('Granular admin relationship approved', `Relationship ${RELATIONSHIP}`),
      'consent.admin.granted',
      `gdap:${RELATIONSHIP}`,
    ],
    [
      'with no id, by the name of the customer',
      mail('News', '\nContoso Ltd has authorized Northwind as its Cloud Solution Provider.'),
      'consent.reseller.granted',
      'name:contoso ltd',
    ],
    [
      'from a server below the known domain',
      mail(accepted, '', 'x@email.microsoft.com'),
      'consent.reseller.granted',
      'name:contoso ltd',
    ],
  ])('%s is a hint', (_, received, signal, key) => {
    expect(hintOf(received, MICROSOFT)).toEqual({ signal, key });
  });

  it.each([
    ['from somebody else', mail(accepted, `Customer ID: ${TENANT}`, 'x@evilmicrosoft.com')],
    ['without an acceptance', mail('Your reseller relationship request', `Customer ID: ${TENANT}`)],
    ['about something else', mail('Your invoice was approved', `Customer ID: ${TENANT}`)],
    ['that names nobody', mail('A reseller relationship was accepted', 'Have a look.')],
    ['without a sender', mail(accepted, '', '')],
  ])('%s is none', (_, received) => {
    expect(hintOf(received, MICROSOFT)).toBeNull();
  });
});

describe('a report of failed delivery', () => {
  const ours = `<${TENANT}@partner.example>`;

  it.each([
    [
      'of a mail server',
      mail('Mail delivery failed', `Original headers:\nMessage-ID: ${ours}`, 'mailer-daemon@x.example'),
    ],
    [
      'of Exchange',
      mail('Undeliverable: Northwind', `Message-ID: ${ours.toUpperCase()}`, 'postmaster@contoso.example'),
    ],
  ])('%s tells which invitation came back', (_, received) => {
    expect(hintOf(received, MICROSOFT)).toEqual({ signal: 'invitation.bounced', key: `mail:${ours}` });
  });

  it('about somebody else’s mail is none', () => {
    const received = mail('Undeliverable: Lunch', 'Message-ID: <abc@x.example>', 'postmaster@x.example');

    expect(hintOf(received, MICROSOFT)).toBeNull();
  });
});
