/**
 * How our application proves itself to the token endpoint (microsoft-apis facts 1.2): by a secret, or by a certificate, which
 * signs a short-lived assertion and never travels. A secret that is a PEM is a certificate with its private key.
 */
import {
  constants,
  createHash,
  createPrivateKey,
  type KeyObject,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';
import { AppError } from '../shared/errors.ts';
import type { Secret } from '../shared/secrets.ts';

/** Form fields for the token endpoint at this address. */
export type ClientCredential = (tokenUrl: string, now: number) => Readonly<Record<string, string>>;

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const LIFETIME_SECONDS = 300;
/** Clocks differ. */
const EARLY_SECONDS = 60;
const SALT_BYTES = 32;

/** Raises `config-invalid` for a PEM that is not one certificate with its own key. */
export function clientCredential(secret: Secret, clientId: string): ClientCredential {
  const text = secret.reveal();
  if (!text.includes('-----BEGIN')) return () => ({ client_secret: text });
  const { key, thumbprint } = readPem(text);
  return (tokenUrl, now) => ({
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion({ key, thumbprint, clientId, tokenUrl, now }),
  });
}

function readPem(text: string): { readonly key: KeyObject; readonly thumbprint: string } {
  try {
    const certificate = new X509Certificate(blockOf(text, /CERTIFICATE/));
    const key = createPrivateKey(blockOf(text, /[A-Z ]*PRIVATE KEY/));
    if (key.asymmetricKeyType !== 'rsa') throw new Error('the key is not RSA');
    if (!certificate.checkPrivateKey(key)) throw new Error('the key is not that of the certificate');
    return { key, thumbprint: createHash('sha256').update(certificate.raw).digest('base64url') };
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

function assertion(options: {
  readonly key: KeyObject;
  readonly thumbprint: string;
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly now: number;
}): string {
  const { key, thumbprint, clientId, tokenUrl, now } = options;
  const seconds = Math.floor(now / 1_000);
  const head = encoded({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint });
  const claims = encoded({
    aud: tokenUrl,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    nbf: seconds - EARLY_SECONDS,
    exp: seconds + LIFETIME_SECONDS,
  });
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES };
  const signature = sign('sha256', Buffer.from(`${head}.${claims}`), { key, ...padding });
  return `${head}.${claims}.${signature.toString('base64url')}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
