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
