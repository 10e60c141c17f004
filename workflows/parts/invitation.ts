/** The words of the invitation. Staff may edit them; the links must stay as they are. */

export interface Draft {
  readonly subject: string;
  readonly body: string;
}

export interface InvitationFacts {
  readonly customerName: string;
  readonly partnerName: string;
  /** Null when the commerce relationship exists already. */
  readonly resellerLink: string | null;
  /** Null when the admin relationship exists already. */
  readonly adminLink: string | null;
}

const RESELLER_STEPS = [
  'Sign in at the link below as Global Administrator of your organisation.',
  'Check that our name is shown, read the Microsoft Customer Agreement, tick the box and choose "Accept and authorize".',
  'You then find us under Settings, Partner relationships.',
];
const ADMIN_STEPS = [
  'Sign in at the link below as Global Administrator of your organisation.',
  'Review the requested roles and choose "Approve all".',
];

/** `text` is the partner's own, with `{customer}`, `{partner}` and `{steps}`. */
export function invitationDraft(facts: InvitationFacts, text: Draft | null = null): Draft {
  const parts = [
    ...(facts.resellerLink === null
      ? []
      : [
          {
            title: 'Authorise us as your Cloud Solution Provider',
            steps: RESELLER_STEPS,
            link: facts.resellerLink,
          },
        ]),
    ...(facts.adminLink === null
      ? []
      : [
          {
            title: 'Approve the roles we need to set your services up',
            steps: ADMIN_STEPS,
            link: facts.adminLink,
          },
        ]),
  ].map(
    ({ title, steps, link }, index) =>
      `${index + 1}. ${title}\n${steps.map((step) => `   - ${step}`).join('\n')}\n   ${link}`,
  );
  if (text !== null) {
    const values = { customer: facts.customerName, partner: facts.partnerName, steps: parts.join('\n\n') };
    return { subject: filled(text.subject, values).slice(0, 200), body: filled(text.body, values) };
  }
  return {
    subject: `${facts.partnerName}: please authorise our work for ${facts.customerName}`,
    body: [
      `Dear ${facts.customerName} team,`,
      `${facts.partnerName} would like to look after your Microsoft subscriptions. Please take the following ${parts.length === 1 ? 'step' : 'steps, in any order'}:`,
      ...parts,
      'If you are not a Global Administrator, please forward this message to one.',
      `Kind regards\n${facts.partnerName}`,
    ].join('\n\n'),
  };
}

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{(customer|partner|steps)\}/g, (_, name: string) => values[name] ?? '');
}

export function reminderDraft(draft: Draft): Draft {
  return { subject: `Reminder: ${draft.subject}`.slice(0, 200), body: draft.body };
}

export function escalationDraft(facts: InvitationFacts, reminders: number): Draft {
  return {
    subject: `No answer from ${facts.customerName} yet`,
    body: `${facts.customerName} has not given all authorisations after ${reminders} reminders. Please call the customer.\n\nOpen: ${[
      ...(facts.resellerLink === null ? [] : ['reseller relationship']),
      ...(facts.adminLink === null ? [] : ['admin relationship']),
    ].join(', ')}`,
  };
}

/** An edited text must still hold the links, unmodified. */
export function keepsLinks(body: string, facts: InvitationFacts): boolean {
  return [facts.resellerLink, facts.adminLink].every((link) => link === null || body.includes(link));
}
