import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { attestAgreement as contract } from '../../workflows/activities/customers.ts';
import { type ActivityDeps, reading, writing } from './calls.ts';

/** One attestation a contact: the same one again is the one that is there. */
export function attestAgreement({ connectors }: ActivityDeps): ActivityImplementation {
  const { agreements } = connectors.partnerCenter;

  return implementActivity(contract, {
    async run({ customerId, contact, dateAgreed }, context) {
      const templates = await agreements.templates(reading(context));
      const [newest] = templates.toSorted((a, b) => (b.versionRank ?? 0) - (a.versionRank ?? 0));
      if (newest === undefined)
        throw new ActivityFailure(
          'unexpected',
          'partner-center-agreement-missing',
          'Partner Center offers no customer agreement to attest.',
        );
      const { firstName, lastName, email, phoneNumber } = contact;
      const named = { firstName, lastName, email, ...(phoneNumber === null ? {} : { phoneNumber }) };
      const attestation = { templateId: newest.templateId, dateAgreed, contact: named };
      const { alreadyThere } = await agreements.attest(customerId, attestation, writing(context));
      return { outcome: alreadyThere ? 'already-attested' : 'attested' };
    },

    async verify({ customerId, contact }, context) {
      const attested = await agreements.list(customerId, reading(context));
      const wanted = contact.email.toLowerCase();
      return attested.some(({ primaryContact }) => primaryContact?.email?.toLowerCase() === wanted)
        ? { outcome: 'done', output: { outcome: 'attested' } }
        : { outcome: 'not-done' };
    },
  });
}
