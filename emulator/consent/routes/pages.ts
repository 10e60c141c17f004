import type { Reply, Request, Routes } from '../../core/http.ts';
import { answerInvitation } from '../../directory/delegation.ts';
import { roleName } from '../../directory/roles.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import type { SignedIn } from '../entities.ts';
import {
  acceptReseller,
  endedSession,
  escapeHtml,
  FRAGMENT_SCRIPT,
  htmlPage,
  redirect,
  STYLE,
  sessionCookie,
  signedIn,
} from '../helpers.ts';

const INVITATION = '/partners/invitation/granularAdminRelationships/:relationshipId';
const HOME = '/admin/AdminPortal/Home';

export function consentPages(routes: Routes, world: World): void {
  routes.on('GET', '/assets/style.css', () => asset('text/css; charset=utf-8', STYLE));
  routes.on('GET', '/assets/fragment.js', () => asset('text/javascript; charset=utf-8', FRAGMENT_SCRIPT));

  routes.on('GET', '/signin', (request) => signInPage(world, request.query.get('return') ?? HOME));

  routes.on('POST', '/signin', (request) => {
    const user = world.directory.users.get(field(request, 'user'));
    const target = field(request, 'return');
    if (user === undefined) return signInPage(world, HOME, 'This account does not exist.');
    return redirect(target.startsWith('/admin/') ? target : HOME, {
      'Set-Cookie': sessionCookie(world, user.id),
    });
  });

  routes.on('POST', '/signout', () => redirect('/admin/signin', { 'Set-Cookie': endedSession() }));

  // the reseller link carries its meaning in the query, the GDAP link behind `#`
  routes.on('GET', '/AdminPortal/Home', (request) => {
    const query = new Map([...request.query].map(([name, value]) => [name.toLowerCase(), value]));
    if (query.get('invtype') !== 'ResellerRelationship') return home(world, request);
    const target = `${HOME}?${request.query}`;
    const person = signedIn(world, request);
    if (person === undefined) return redirect(`/admin/signin?return=${encodeURIComponent(target)}`);
    if (!person.isGlobalAdmin) return notAllowed(person);
    if (query.get('partnerid')?.toLowerCase() !== PARTNER.tenantId) {
      return htmlPage('Invitation', '<p class="refused">This invitation is not valid.</p>', { status: 404 });
    }
    return resellerPage(world, person);
  });

  routes.on('POST', '/partners/invitation/reseller', (request) => {
    const person = signedIn(world, request);
    if (person === undefined) return redirect('/admin/signin');
    if (!person.isGlobalAdmin) return notAllowed(person);
    if (field(request, 'terms') !== 'accepted')
      return resellerPage(world, person, 'Please read and accept the terms first.');
    const outcome = acceptReseller(world, person.tenantId, true);
    if (typeof outcome === 'string')
      return resellerPage(world, person, 'This organization cannot accept the invitation.');
    return redirect('/admin/partners?done=reseller');
  });

  routes.on('GET', INVITATION, (request) => {
    const id = request.params['relationshipId'] ?? '';
    const person = signedIn(world, request);
    const target = `/admin/partners/invitation/granularAdminRelationships/${id}`;
    if (person === undefined) return redirect(`/admin/signin?return=${encodeURIComponent(target)}`);
    if (!person.isGlobalAdmin) return notAllowed(person);
    return rolesPage(world, person, id);
  });

  routes.on('POST', INVITATION, (request) => {
    const person = signedIn(world, request);
    if (person === undefined) return redirect('/admin/signin');
    if (!person.isGlobalAdmin) return notAllowed(person);
    const answer = field(request, 'answer') === 'reject' ? 'reject' : 'approve';
    const id = request.params['relationshipId']?.toLowerCase() ?? '';
    const outcome = answerInvitation(world, id, person.tenantId, answer);
    if (typeof outcome === 'string') return rolesPage(world, person, id);
    if (answer === 'approve' && world.settings().confirmationMails) {
      world.scheduler.schedule('confirmation-mail', world.delay('confirmationMail'), {
        tenantId: person.tenantId,
        about: 'gdap',
      });
    }
    return redirect(`/admin/partners?done=${answer}`);
  });

  routes.on('GET', '/partners', (request) => {
    const person = signedIn(world, request);
    if (person === undefined) return redirect('/admin/signin?return=/admin/partners');
    return partnersPage(world, person, request.query.get('done'));
  });

  routes.on('GET', '/agreement', () =>
    htmlPage(
      'Microsoft Customer Agreement',
      "<h1>Microsoft Customer Agreement</h1><p>The agreement's text would stand here. This copy belongs to the emulator and binds nobody.</p>",
    ),
  );
}

const asset = (contentType: string, text: string): Reply => ({ status: 200, contentType, text });

function field(request: Request, name: string): string {
  const body = request.body as Record<string, unknown> | undefined;
  const value = body?.[name];
  return typeof value === 'string' ? value : '';
}

function signInPage(world: World, target: string, problem?: string): Reply {
  const tenants = world.directory.tenants.filter((tenant) => tenant.id !== PARTNER.tenantId);
  const groups = tenants.map((tenant) => {
    const people = world.directory.users.filter((user) => user.tenantId === tenant.id);
    const choices = people.map((user) => {
      const role = user.isGlobalAdmin ? 'Global Administrator' : 'user';
      return `<option value="${user.id}">${escapeHtml(user.userPrincipalName)} (${role})</option>`;
    });
    return `<optgroup label="${escapeHtml(tenant.displayName)}">${choices.join('')}</optgroup>`;
  });
  return htmlPage(
    'Sign in',
    `<h1>Sign in</h1>${problem === undefined ? '' : `<p class="refused">${escapeHtml(problem)}</p>`}
<p>Pick an account of the emulated cloud. Only a Global Administrator can accept an invitation.</p>
<form method="post" action="/admin/signin"><input type="hidden" name="return" value="${escapeHtml(target)}">
<label>Account <select name="user" required>${groups.join('')}</select></label>
<button type="submit">Sign in</button></form>`,
    { script: '/admin/assets/fragment.js' },
  );
}

function home(world: World, request: Request): Reply {
  const person = signedIn(world, request);
  if (person === undefined) return signInPage(world, HOME);
  const page = partnersPage(world, person, null);
  return {
    ...page,
    text: (page.text ?? '').replace(
      '</head>',
      '<script src="/admin/assets/fragment.js" defer></script></head>',
    ),
  };
}

function notAllowed(person: SignedIn): Reply {
  return htmlPage(
    'No permission',
    `<h1>You don't have permission</h1><p class="refused">${escapeHtml(person.upn)} is not a Global Administrator of this organization. Forward the invitation to your global admin.</p>${signOut()}`,
    { status: 403 },
  );
}

const signOut = (): string =>
  '<form method="post" action="/admin/signout"><button class="quiet" type="submit">Sign in as somebody else</button></form>';

function resellerPage(world: World, person: SignedIn, problem?: string): Reply {
  const tenant = world.directory.tenants.get(person.tenantId);
  return htmlPage(
    'Accept partner invitation',
    `<h1>${escapeHtml(PARTNER.name)} wants to be your Cloud Solution Provider</h1>
<p>Organization: <strong>${escapeHtml(tenant?.displayName ?? '')}</strong><br>Signed in as ${escapeHtml(person.upn)}</p>
${problem === undefined ? '' : `<p class="refused">${escapeHtml(problem)}</p>`}
<p>The partner will be able to buy subscriptions for your organization. It gets no administrative rights by this.</p>
<form method="post" action="/admin/partners/invitation/reseller">
<label><input type="checkbox" name="terms" value="accepted"> Yes, I have read and understand the <a href="/admin/agreement">Microsoft Customer Agreement</a> and the terms of establishing a Microsoft Cloud Solution Provider relationship, and I am authorized to agree to these terms on behalf of my organization.</label>
<button type="submit">Accept and authorize</button></form>${signOut()}`,
    { status: problem === undefined ? 200 : 400 },
  );
}

function rolesPage(world: World, person: SignedIn, id: string): Reply {
  const relationship = world.directory.relationships.get(id.toLowerCase());
  const other = relationship?.customer != null && relationship.customer.tenantId !== person.tenantId;
  if (relationship === undefined || other) {
    const text =
      '<h1>Admin relationship request</h1><p class="refused">This request does not exist or is meant for another organization.</p>';
    return htmlPage('Admin relationship request', text + signOut(), { status: 404 });
  }
  const roles = relationship.roleIds.map((role) => `<li>${escapeHtml(roleName(role))}</li>`).join('');
  const open = relationship.status === 'approvalPending';
  const form = open
    ? `<form method="post" action="/admin/partners/invitation/granularAdminRelationships/${relationship.id}">
<button type="submit" name="answer" value="approve">Approve all</button> <button class="quiet" type="submit" name="answer" value="reject">Reject</button></form>`
    : `<p class="refused">The request is ${escapeHtml(relationship.status)} and cannot be answered.</p>`;
  return htmlPage(
    'Admin relationship request',
    `<h1>${escapeHtml(PARTNER.name)} asks for admin roles</h1>
<p>Request: ${escapeHtml(relationship.displayName)}, for ${escapeHtml(relationship.duration)}<br>Signed in as ${escapeHtml(person.upn)}</p>
<p>Requested roles:</p><ul>${roles}</ul>${form}${signOut()}`,
    { status: open ? 200 : 409 },
  );
}

const DONE: Readonly<Record<string, string>> = {
  reseller: `${PARTNER.name} is authorized as your Cloud Solution Provider.`,
  approve: `You approved the roles that ${PARTNER.name} asked for.`,
  reject: `You rejected the roles that ${PARTNER.name} asked for.`,
};

function partnersPage(world: World, person: SignedIn, done: string | null): Reply {
  const customer = world.partner.customers.get(person.tenantId);
  const relationships = world.directory.relationships.filter(
    (row) => row.customer?.tenantId === person.tenantId,
  );
  const rows = [
    ...(customer === undefined || customer.removed ? [] : [[PARTNER.name, 'Reseller', 'active']]),
    ...relationships.map((row) => [PARTNER.name, `Admin roles: ${row.displayName}`, row.status]),
  ];
  const table = rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`)
    .join('');
  const waiting = relationships
    .filter((row) => row.status === 'approvalPending')
    .map(
      (row) =>
        `<li><a href="/admin/partners/invitation/granularAdminRelationships/${row.id}">${escapeHtml(row.displayName)}</a></li>`,
    );
  const message = done === null ? undefined : DONE[done];
  return htmlPage(
    'Partner relationships',
    `<h1>Partner relationships</h1>${message === undefined ? '' : `<p class="done">${escapeHtml(message)}</p>`}
<p>Signed in as ${escapeHtml(person.upn)}</p>
${waiting.length === 0 ? '' : `<p>Waiting for your answer:</p><ul>${waiting.join('')}</ul>`}
<table><thead><tr><th>Partner</th><th>Relationship</th><th>Status</th></tr></thead><tbody>${table || '<tr><td colspan="3">None yet.</td></tr>'}</tbody></table>${signOut()}`,
  );
}
