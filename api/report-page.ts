/** The closing report as a page to print. Pure; whatever customers or Microsoft wrote is text, never markup. */
import { createHash } from 'node:crypto';
import { humanise } from './history-words.ts';
import type { Report, Table } from './report.ts';

const STYLE = `
body { font: 11pt/1.45 system-ui, sans-serif; color: #1b1b1b; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; } h2 { font-size: 1.1rem; margin-top: 1.8rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; } dt { color: #555; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid #ccc; overflow-wrap: anywhere; }
th { color: #555; font-weight: 600; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; } }
`;

/** Lets this page have its own style and nothing else. */
export const REPORT_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export function reportPage(report: Report): string {
  const { title, subject, outcome, startedAt, startedBy, closedAt, instanceId } = report;
  const facts: readonly (readonly [string, string])[] = [
    ['Outcome', humanise(outcome)],
    ['Started', `${startedAt}${startedBy === null ? '' : ` by ${startedBy}`}`],
    ['Closed', closedAt],
    ['Instance', instanceId],
  ];
  const tables: readonly Table[] = [
    ...report.tables,
    {
      title: 'Changes made',
      columns: ['When (UTC)', 'What'],
      rows: report.changes.map(({ at, what }) => [at, what]),
    },
    {
      title: 'Decisions',
      columns: ['When (UTC)', 'Who', 'What', 'Details'],
      rows: report.decisions.map(({ at, by, what, said, reason }) => [
        at,
        by,
        what,
        [said, reason ?? ''].filter((text) => text !== '').join('; '),
      ]),
    },
  ];
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${asText(`${subject ?? instanceId}: ${title}`)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${asText(subject ?? instanceId)}</h1><p>${asText(title)}</p>`,
    `<dl>${facts.map(([name, value]) => `<dt>${asText(name)}</dt><dd>${asText(value)}</dd>`).join('')}</dl>`,
    ...tables.filter(({ rows }) => rows.length > 0).map(tableOf),
    '</body></html>',
    '',
  ].join('\n');
}

function tableOf({ title, columns, rows }: Table): string {
  const head = columns.map((name) => `<th scope="col">${asText(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${asText(cell)}</td>`).join('')}</tr>`);
  return `<h2>${asText(title)}</h2>\n<table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function asText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);
}
