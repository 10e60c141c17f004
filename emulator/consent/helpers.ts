/** What happens when a customer answers, and the look of the pages on which they do. */
import type { Reply, Request } from '../core/http.ts';
import { readToken, signToken } from '../core/tokens.ts';
import { initialDomain } from '../directory/helpers.ts';
import { sendMicrosoftMail } from '../mail/helpers.ts';
import { PARTNER } from '../options.ts';
import type { Customer } from '../partner-center/entities.ts';
import { audit, emitEvent } from '../partner-center/events.ts';
import { exampleProfile } from '../partner-center/shapes.ts';
import type { World } from '../world.ts';
import type { SignedIn } from './entities.ts';

const COOKIE = 'emulator_session';

export type AcceptRefusal = 'unknown-tenant' | 'partner-itself';

/** The reseller relationship comes into being; accepting again changes nothing but is confirmed again. */
export function acceptReseller(
  world: World,
  tenantId: string,
  signAgreement: boolean,
): Customer | AcceptRefusal {
  const tenant = world.directory.tenants.get(tenantId);
  if (tenant === undefined) return 'unknown-tenant';
  if (tenant.id === PARTNER.tenantId) return 'partner-itself';
  if (signAgreement) world.directory.tenants.update(tenantId, { agreementSignedDirectly: true });
  const known = world.partner.customers.get(tenantId);
  const visibleAt = world.clock.now() + world.delay('relationshipVisible');
  const customer =
    known !== undefined && !known.removed
      ? known
      : world.partner.customers.put({
          id: tenantId,
          commerceId: known?.commerceId ?? world.random.guid(),
          companyName: tenant.displayName,
          domain: initialDomain(tenant),
          billingProfile: known?.billingProfile ?? exampleProfile(world.random.guid(), tenant),
          associatedPartnerId: null,
          visibleAt,
          resellerAt: visibleAt,
          removed: false,
          origin: 'accepted',
          validation: null,
          qualification: null,
        });
  if (customer !== known)
    world.scheduler.schedule('relationship-visible', world.delay('relationshipVisible'), { tenantId });
  return customer;
}

/** Effect: everybody may see the new relationship now. */
export function announceReseller(world: World, tenantId: string): void {
  const auditUri = audit(world, {
    operationType: 'reseller_relationship_accepted_by_customer',
    resourceType: 'customer',
    customerId: tenantId,
    userPrincipalName: null,
  });
  emitEvent(world, {
    eventName: 'reseller-relationship-accepted-by-customer',
    resourceName: 'Customer',
    resourceUri: `https://api.partnercenter.microsoft.com/v1/customers/${tenantId}`,
    auditUri,
  });
  if (!world.settings().confirmationMails) return;
  world.scheduler.schedule('confirmation-mail', world.delay('confirmationMail'), {
    tenantId,
    about: 'reseller',
  });
}

/** Effect: Microsoft writes to both parties. */
export function sendConfirmations(world: World, tenantId: string, about: string): void {
  const tenant = world.directory.tenants.get(tenantId);
  if (tenant === undefined) return;
  const what = about === 'reseller' ? 'reseller relationship' : 'admin relationship (GDAP)';
  sendMicrosoftMail(world, {
    to: PARTNER.adminUpn,
    subject: `${tenant.displayName} has accepted your ${what} request`,
    text: [
      `${tenant.displayName} has authorized ${PARTNER.name}: the ${what} is in place.`,
      '',
      `Domain: ${initialDomain(tenant)}`,
      `Customer (Microsoft) ID: ${tenant.id}`,
      '',
      'You can find the customer in Partner Center now.',
    ].join('\n'),
  });
  sendMicrosoftMail(world, {
    to: tenant.contactEmail,
    subject: `You have accepted the ${what} with ${PARTNER.name}`,
    text: `${PARTNER.name} is now listed under Settings, Partner relationships: ${world.urls().consent}/partners`,
  });
}

export function sessionCookie(world: World, userId: string): string {
  const value = signToken({ use: 'session', userId }, world.keys().tokenSecret);
  return `${COOKIE}=${value}; Path=/admin; HttpOnly; SameSite=Lax`;
}

export function endedSession(): string {
  return `${COOKIE}=; Path=/admin; HttpOnly; SameSite=Lax; Max-Age=0`;
}

export function signedIn(world: World, request: Request): SignedIn | undefined {
  const cookies = (request.headers.cookie ?? '').split(/;\s*/);
  const value = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? '';
  const claims = readToken(value, world.keys().tokenSecret);
  if (claims?.['use'] !== 'session') return undefined;
  const user = world.directory.users.get(String(claims['userId']));
  if (user === undefined) return undefined;
  return {
    userId: user.id,
    tenantId: user.tenantId,
    upn: user.userPrincipalName,
    isGlobalAdmin: user.isGlobalAdmin,
  };
}

/** Text inside markup. Everything shown passes through here. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/** A whole page; `main` is markup whose values were escaped. */
export function htmlPage(
  title: string,
  main: string,
  options: { status?: number; headers?: Record<string, string>; script?: string } = {},
): Reply {
  const script = options.script === undefined ? '' : `<script src="${options.script}" defer></script>`;
  return {
    status: options.status ?? 200,
    contentType: 'text/html; charset=utf-8',
    headers: {
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Cache-Control': 'no-store',
      ...options.headers,
    },
    text: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><link rel="stylesheet" href="/admin/assets/style.css">${script}</head>
<body><header><strong>Microsoft 365 admin center</strong> <span>emulated, nothing here reaches Microsoft</span></header>
<main>${main}</main></body></html>`,
  };
}

export function redirect(location: string, headers: Record<string, string> = {}): Reply {
  return { status: 303, headers: { Location: location, ...headers } };
}

export const STYLE = `
:root{color-scheme:light dark;--line:#8886;--accent:#0f6cbd}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0}
header{padding:.75rem 1.25rem;border-bottom:1px solid var(--line)}
header span{opacity:.7;font-size:.85rem;margin-left:.5rem}
main{max-width:46rem;margin:2rem auto;padding:0 1.25rem}
h1{font-size:1.5rem;margin:0 0 1rem}
form{margin:1.25rem 0}
label{display:block;margin:.75rem 0}
select,input[type=text]{font:inherit;padding:.45rem .6rem;width:100%;border:1px solid var(--line);border-radius:4px}
button{font:inherit;padding:.5rem 1.1rem;border:1px solid var(--accent);border-radius:4px;background:var(--accent);color:#fff;cursor:pointer}
button.quiet{background:none;color:inherit;border-color:var(--line)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.45rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}
iframe{width:100%;height:28rem;border:1px solid var(--line);border-radius:4px;background:#fff}
.refused{border-left:4px solid #c50f1f;padding:.5rem 1rem}
.done{border-left:4px solid #107c10;padding:.5rem 1rem}
`;

/** The GDAP link keeps the relationship id behind `#`, which browsers do not send: this takes it to the server. */
export const FRAGMENT_SCRIPT = `
const invitation = /granularAdminRelationships\\/([0-9a-f-]+)/i.exec(location.hash);
if (invitation) location.replace('/admin/partners/invitation/granularAdminRelationships/' + invitation[1]);
`;
