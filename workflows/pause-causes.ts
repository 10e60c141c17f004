/** Why a queue is paused for everybody, and what a person does about it. The code of the pause tells. */

export const PAUSE_CAUSES = ['sign-in', 'admin-agent', 'security-group', 'mail', 'other'] as const;
export type PauseCause = (typeof PAUSE_CAUSES)[number];

const MAIL = /^mail-/;
/** Services pause a queue by themselves only when they refuse our token. */
const SIGN_IN = /^(?:aadsts|identity|refresh-token|partner-center|graph)-/;

/** `code` as the pause was recorded with, e.g. `aadsts-700082`. */
export function causeOf(code: string): PauseCause {
  if (code === 'partner-not-admin-agent') return 'admin-agent';
  if (code === 'partner-group-unusable') return 'security-group';
  if (MAIL.test(code)) return 'mail';
  return SIGN_IN.test(code) ? 'sign-in' : 'other';
}

export interface CauseWords {
  /** Begins sentences: "… is broken". */
  readonly subject: string;
  readonly title: string;
  readonly steps: string;
}

export const CAUSE_WORDS: Readonly<Record<PauseCause, CauseWords>> = {
  'sign-in': {
    subject: 'Our sign-in at Microsoft',
    title: 'Renew our sign-in at Microsoft',
    steps:
      'An Admin Agent of ours signs in anew, with multi-factor authentication, and the new refresh token (or client secret) is put into the configuration of the workers.',
  },
  'admin-agent': {
    subject: 'The Admin Agent membership of our user',
    title: 'Make our user an Admin Agent again',
    steps:
      'Put the user who signs in for us back into the group AdminAgents of our own tenant: Partner Center refuses it until then. The sign-in itself works.',
  },
  'security-group': {
    subject: 'A security group of ours',
    title: 'Mend our security group',
    steps:
      'Create the group anew in our own tenant and put its id into the configuration, or give it members again: nobody has rights at customers through an empty one. The sign-in itself works.',
  },
  mail: {
    subject: 'Our sign-in at the mail server',
    title: 'Renew our sign-in at the mail server',
    steps:
      'The mail server refuses our user or password: put the right ones into the configuration of the workers (SMTP_URL).',
  },
  other: {
    subject: 'A queue',
    title: 'See to a stopped queue',
    steps:
      'Remove the cause, then resume the queue by hand (docs/operations.md, A stopped queue): nothing can tell by itself that this cause is gone.',
  },
};
