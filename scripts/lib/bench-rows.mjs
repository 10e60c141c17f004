/** Rows of the bench's table: a figure, its budget (design, section 5) and what became of it. */

/** `must` and `goal` are `{ most }` or `{ least }`. */
export function row(part, name, value, unit, { must, goal } = {}) {
  return { part, name, value, unit, must, goal, verdict: verdictOf(value, must, goal) };
}

const meets = (value, { most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }) =>
  value <= most && value >= least;

function verdictOf(value, must, goal) {
  if (must === undefined) return '';
  if (!meets(value, must)) return 'MISSED';
  return goal !== undefined && meets(value, goal) ? 'goal' : 'holds';
}

const limit = (budget) =>
  budget === undefined ? '' : budget.most === undefined ? `≥ ${budget.least}` : `≤ ${budget.most}`;

function shown(value) {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

/** The rows as a table in Markdown, which reads on a terminal as well. */
export function tableOf(rows) {
  const cells = [
    ['part', 'figure', 'value', 'unit', 'must hold', 'goal', 'verdict'],
    ...rows.map(({ part, name, value, unit, must, goal, verdict }) => [
      ...[part, name, shown(value), unit, limit(must), limit(goal), verdict],
    ]),
  ];
  const widths = cells[0].map((_, at) => Math.max(...cells.map((line) => line[at].length)));
  const lines = cells.map((line) => `| ${line.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
