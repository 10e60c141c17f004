/** The Microsoft Customer Agreement (facts 3.5). Attesting is a legal statement: only after a person recorded it. */
import { z } from 'zod';
import { query, type ReadOptions, route, type WriteOptions } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { ignored, nullable } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

const TYPE = 'MicrosoftCustomerAgreement';

const Template = z.object({
  templateId: z.string(),
  agreementType: z.string(),
  agreementLink: nullable(z.string()),
  versionRank: nullable(z.number()),
});
export type AgreementTemplate = z.output<typeof Template>;

const Document = z.object({
  downloadUri: z.string(),
  displayUri: z.string(),
  language: nullable(z.string()),
  country: nullable(z.string()),
});
/** Both addresses live for about 5 minutes. */
export type AgreementDocument = z.output<typeof Document>;

const Contact = z.object({
  firstName: nullable(z.string()),
  lastName: nullable(z.string()),
  email: nullable(z.string()),
  phoneNumber: nullable(z.string()),
});

const Agreement = z.object({
  templateId: nullable(z.string()),
  type: nullable(z.string()),
  dateAgreed: nullable(z.string()),
  primaryContact: nullable(Contact),
});
export type Agreement = z.output<typeof Agreement>;

export interface Attestation {
  readonly templateId: string;
  /** ISO 8601, not in the future. */
  readonly dateAgreed: string;
  readonly contact: {
    readonly firstName: string;
    readonly lastName: string;
    readonly email: string;
    readonly phoneNumber?: string;
  };
}

export function agreements(calls: PartnerCenterCalls) {
  return {
    templates(options?: ReadOptions): Promise<AgreementTemplate[]> {
      return calls.collect(`/v1/agreements${query({ agreementType: TYPE })}`, Template, options);
    },

    async document(
      templateId: string,
      where: { readonly language: string; readonly country: string },
      options?: ReadOptions,
    ): Promise<AgreementDocument> {
      const path = `${route`/v1/agreementtemplates/${templateId}/document`}${query(where)}`;
      return (await calls.call({ method: 'GET', path, schema: Document }, options)).body;
    },

    /** What was attested for this customer; empty when nothing was. */
    list(customerId: string, options?: ReadOptions): Promise<Agreement[]> {
      const path = `${route`/v1/customers/${customerId}/agreements`}${query({ agreementType: TYPE })}`;
      return calls.collect(path, Agreement, options);
    },

    /** Whether the customer accepted directly with Microsoft. */
    async isSignedByCustomer(customerId: string, options?: ReadOptions): Promise<boolean> {
      const path = route`/v1/customers/${customerId}/directSignedMicrosoftCustomerAgreementStatus`;
      const { body } = await calls.call(
        { method: 'GET', path, schema: z.object({ isSigned: z.boolean() }) },
        options,
      );
      return body.isSigned;
    },

    /** Records that the customer agreed; the same attestation again is success (400/600061). */
    async attest(
      customerId: string,
      attestation: Attestation,
      options: WriteOptions,
    ): Promise<{ readonly alreadyThere: boolean }> {
      const path = route`/v1/customers/${customerId}/agreements`;
      const { templateId, dateAgreed, contact } = attestation;
      const body = { primaryContact: contact, dateAgreed, templateId, type: TYPE };
      try {
        await calls.call({ method: 'POST', path, body, schema: ignored }, options);
        return { alreadyThere: false };
      } catch (failure) {
        if (wasRefused(failure, 'partner-center-600061')) return { alreadyThere: true };
        throw failure;
      }
    },
  };
}
