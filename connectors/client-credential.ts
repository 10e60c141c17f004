/**
 * How our application proves itself to the token endpoint (microsoft-apis facts 1.2): by a secret, or by a certificate, whose
 * key signs a short-lived assertion and never travels. A secret that is a PEM is a certificate with its private key.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { AppError } from '../shared/errors.ts';
import type { Secret } from '../shared/secrets.ts';

/** In the words of MSAL's configuration. */
export type ClientCredential =
  | { readonly clientSecret: string }
  | { readonly clientCertificate: { readonly thumbprintSha256: string; readonly privateKey: string } };

/** Raises `config-invalid` for a PEM that is not one certificate with its own key. */
export function clientCredential(secret: Secret): ClientCredential {
  const text = secret.reveal();
  if (!isPem(text)) return { clientSecret: text };
  const { key, certificate } = readPem(text);
  return {
    clientCertificate: {
      thumbprintSha256: createHash('sha256').update(certificate.raw).digest('hex'),
      privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
  };
}

/** Milliseconds since the epoch until which a certificate proves who we are; null for a secret, which does not say. */
export function credentialExpiry(secret: Secret): number | null {
  const text = secret.reveal();
  return isPem(text) ? Date.parse(readPem(text).certificate.validTo) : null;
}

const isPem = (text: string): boolean => text.includes('-----BEGIN');

function readPem(text: string): { readonly key: KeyObject; readonly certificate: X509Certificate } {
  try {
    const certificate = new X509Certificate(blockOf(text, /CERTIFICATE/));
    const key = createPrivateKey(blockOf(text, /[A-Z ]*PRIVATE KEY/));
    if (key.asymmetricKeyType !== 'rsa') throw new Error('the key is not RSA');
    if (!certificate.checkPrivateKey(key)) throw new Error('the key is not that of the certificate');
    return { key, certificate };
  } catch (cause) {
    const message = 'CLIENT_SECRET begins like a PEM and is not one RSA certificate with its private key.';
    throw new AppError('config-invalid', message, {
      details: {
        errors: [{ variable: 'CLIENT_SECRET', problem: 'is not a certificate with its private key' }],
      },
      cause,
    });
  }
}

function blockOf(text: string, name: RegExp): string {
  const found = new RegExp(`-----BEGIN (${name.source})-----[\\s\\S]+?-----END \\1-----`).exec(text);
  if (found === null) throw new Error(`there is no ${name.source} in it`);
  return `${found[0]}\n`;
}
