import { escapeHtml, htmlPage } from '../../consent/helpers.ts';
import type { Routes } from '../../core/http.ts';
import type { World } from '../../world.ts';
import type { Mail } from '../entities.ts';

export function inboxRoutes(routes: Routes, world: World): void {
  routes.on('GET', '', (request) => {
    const to = request.query.get('to');
    const mails = newestFirst(world).filter((mail) => to === null || mail.to.includes(to));
    const readers = [...new Set(world.mail.mails.all().flatMap((mail) => mail.to))].sort();
    const choices = readers.map(
      (reader) => `<a href="/inbox?to=${encodeURIComponent(reader)}">${escapeHtml(reader)}</a>`,
    );
    const rows = mails.map(
      (mail) =>
        `<tr><td>${escapeHtml(mail.receivedAt.slice(0, 19).replace('T', ' '))}</td><td>${escapeHtml(mail.to.join(', '))}</td><td><a href="/inbox/${mail.id}">${escapeHtml(mail.subject || '(no subject)')}</a><br>${escapeHtml(mail.from)}</td></tr>`,
    );
    return htmlPage(
      'Inbox',
      `<h1>Inbox${to === null ? '' : ` of ${escapeHtml(to)}`}</h1><p><a href="/inbox">Everybody</a> ${choices.join(' · ')}</p>
<table><thead><tr><th>Received (UTC)</th><th>To</th><th>Mail</th></tr></thead><tbody>${rows.join('') || '<tr><td colspan="3">No mail yet.</td></tr>'}</tbody></table>`,
    );
  });

  routes.on('GET', '/:mailId', (request) => {
    const mail = world.mail.mails.get(request.params['mailId'] ?? '');
    if (mail === undefined) return htmlPage('Not found', '<h1>No such mail</h1>', { status: 404 });
    const body =
      mail.html === null
        ? `<pre>${linkified(mail.text)}</pre>`
        : `<iframe title="Mail" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/inbox/${mail.id}/html"></iframe>
<details><summary>As text</summary><pre>${linkified(mail.text)}</pre></details>`;
    return htmlPage(
      mail.subject,
      `<p><a href="/inbox">Back</a></p><h1>${escapeHtml(mail.subject)}</h1>
<p>From ${escapeHtml(mail.from)}<br>To ${escapeHtml(mail.to.join(', '))}<br>${escapeHtml(mail.receivedAt)}</p>${body}`,
    );
  });

  // a stranger's markup: shown in a sandbox without scripts, forms or remote content
  routes.on('GET', '/:mailId/html', (request) => {
    const mail = world.mail.mails.get(request.params['mailId'] ?? '');
    return {
      status: mail?.html == null ? 404 : 200,
      contentType: 'text/html; charset=utf-8',
      headers: {
        'Content-Security-Policy':
          "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
      },
      text: `<!doctype html><base target="_blank">${mail?.html ?? ''}`,
    };
  });
}

export function newestFirst(world: World): Mail[] {
  return world.mail.mails.all().sort((left, right) => right.receivedAt.localeCompare(left.receivedAt));
}

function linkified(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"')\]]+)/g)
    .map((part, index) =>
      index % 2 === 0
        ? escapeHtml(part)
        : `<a href="${escapeHtml(part)}" target="_blank" rel="noopener">${escapeHtml(part)}</a>`,
    )
    .join('');
}
