/** What is refused at the start form, before anything is asked of Microsoft. */
import { describe, expect, it } from '@jest/globals';
import { formProblems } from '../../workflows/parts/form.ts';
import { invitationDraft } from '../../workflows/parts/invitation.ts';
import { Partner } from '../../workflows/start-form.ts';
import { ANSWERS, GROUP, ROLE } from './samples.ts';

const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
const partner = { name: 'Northwind', roles: [ROLE], access: [{ groupId: GROUP, roles: [ROLE] }] };

describe('our side of a start form', () => {
  it('never asks for Global Administrator in a relationship that extends itself', () => {
    const roles = [ROLE, GLOBAL_ADMINISTRATOR];

    expect(Partner.safeParse({ ...partner, roles }).success).toBe(false);
    expect(Partner.safeParse({ ...partner, roles, autoExtendDuration: 'P0D' }).success).toBe(true);
  });

  it('gives a group no role that is not asked for', () => {
    const access = [{ groupId: GROUP, roles: [GLOBAL_ADMINISTRATOR] }];

    expect(Partner.safeParse({ ...partner, access }).success).toBe(false);
  });
});

describe('a new customer', () => {
  const form = {
    companyName: 'Contoso',
    domainPrefix: 'contoso',
    contact: { firstName: 'Ada', lastName: 'Meyer', email: 'ada@contoso.example', phoneNumber: null },
    address: { line1: '1 Way', line2: null, city: 'Redmond', state: null, postalCode: null, country: 'JP' },
    registrationNumber: null,
  };
  const rules = {
    ...(ANSWERS['readCountryRules']?.[0] as Parameters<typeof formProblems>[1]),
    stateRequired: false,
    postalCodeRequired: false,
  };

  it('in a market we may not sell to is told so before anything is created', () => {
    expect(formProblems(form, rules, ['US', 'CA'])).toContain(
      'We may not sell to JP; our markets are US, CA.',
    );
    expect(formProblems(form, rules, ['JP']).join()).not.toContain('sell');
    expect(formProblems(form, rules, []).join()).not.toContain('sell');
  });
});

describe('the invitation', () => {
  it('tells whoever lacks the right to forward it to a Global Administrator', () => {
    const { body } = invitationDraft({
      customerName: 'Contoso',
      partnerName: 'Northwind',
      resellerLink: 'https://admin.example/reseller',
      adminLink: null,
    });

    expect(body).toContain('If you are not a Global Administrator, please forward this message to one.');
  });
});

describe('a partner’s own invitation', () => {
  const facts = {
    customerName: 'Contoso {steps}',
    partnerName: 'Northwind',
    resellerLink: 'https://admin.example/reseller',
    adminLink: 'https://admin.example/gdap',
  };

  it('has its words around the steps with both links', () => {
    const text = {
      subject: '{partner} und {customer}',
      body: 'Guten Tag {customer},\n\n{steps}\n\n{partner}',
    };
    const { subject, body } = invitationDraft({ ...facts, customerName: 'Contoso' }, text);

    expect(subject).toBe('Northwind und Contoso');
    expect(body).toMatch(
      /^Guten Tag Contoso,\n\n1\. Authorise us[\s\S]*\n\n2\. Approve[\s\S]*\n\nNorthwind$/,
    );
    expect(body).toContain(facts.resellerLink);
    expect(body).toContain(facts.adminLink);
  });

  it('fills each place once, whatever a customer is called', () => {
    expect(
      invitationDraft(facts, { subject: 'x', body: '{customer} {steps}' }).body.match(/reseller/g),
    ).toHaveLength(1);
  });

  it('without a place for the links is refused', () => {
    const own = { ...partner, invitationText: { subject: 'Hello', body: 'Please accept.' } };

    expect(Partner.safeParse(own).error?.issues[0]).toMatchObject({
      path: ['invitationText', 'body'],
      message: 'The text lacks {steps}, where the links go.',
    });
  });
});
