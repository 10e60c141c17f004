/** What the proof runs reported, judged and written down. A line is what `test/support/proof-report.ts` appends. */

/** Prefix of the runs that show that a checker can fail. */
const CONTROL = 'control: ';

export function readProof(text) {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .sort((a, b) => (a.suite < b.suite ? -1 : a.suite > b.suite ? 1 : 0));
}

const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

/** Why the report proves nothing, or the contrary of what it should; empty when all is well. */
export function proofProblems(lines) {
  if (lines.length === 0) return ['no run reported anything'];
  return lines.flatMap(({ suite, injected, done, lost }) => [
    ...(sum(injected) > 0 ? [] : [`${suite}: injected nothing`]),
    ...Object.entries(injected).flatMap(([fault, count]) =>
      count > 0 ? [] : [`${suite}: '${fault}' never happened`],
    ),
    ...(sum(done) > 0 ? [] : [`${suite}: finished nothing`]),
    ...(lost === 0 ? [] : [`${suite}: lost ${lost}`]),
  ]);
}

/** The report as a table for a terminal. */
export function proofTable(lines) {
  const rows = lines.map(({ suite, injected, done, lost, seeds }) => [
    suite,
    `${sum(injected)} faults`,
    Object.entries(done)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
    `${lost} lost`,
    seeds === undefined ? '' : `seeds ${seeds}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const number = (count) => count.toLocaleString('en').replaceAll(',', ' ');

function section({ suite, injected, done, lost, seeds }) {
  const faults = Object.entries(injected).map(([fault, count]) => `| ${fault} | ${number(count)} |`);
  const finished = Object.entries(done).map(([what, count]) => `${number(count)} ${what}`);
  const from = seeds === undefined ? '' : `, seeds ${seeds}`;
  return [
    `### ${suite}`,
    '',
    `Finished: ${finished.join(', ')}${from}. Lost, doubled, torn or stuck: **${number(lost)}**.`,
    '',
    '| injected | times |',
    '|---|---|',
    ...faults,
    '',
  ].join('\n');
}

function controlRow({ suite, injected, done, lost }) {
  const caught = injected['plants caught'] > 0 ? 'yes' : '**no**';
  return `| ${suite.slice(CONTROL.length)} | ${caught} | ${number(sum(done))} things done, ${number(lost)} lost |`;
}

/** docs/reliability.md: `words` comes first, then what was run, then each run in the order of its name. */
export function proofPage({ words, command, machine, lines }) {
  const controls = lines.filter(({ suite }) => suite.startsWith(CONTROL));
  const runs = lines.filter((line) => !controls.includes(line));
  return [
    words.trimEnd(),
    '',
    '## What was run',
    '',
    `\`${command}\` on ${machine}.`,
    '',
    ...runs.map(section),
    '## Planted faults',
    '',
    'Each checker must be seen to fail: the same check, with a fault planted in a copy of the code or around it.',
    '',
    '| planted | caught | without it |',
    '|---|---|---|',
    ...controls.map(controlRow),
    '',
  ].join('\n');
}
