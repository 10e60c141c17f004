/** What a run did, in two columns, past jest's own reporter. */
export function table(title: string, rows: Readonly<Record<string, number | string>>): void {
  const width = Math.max(title.length, ...Object.keys(rows).map((name) => name.length));
  const lines = Object.entries(rows).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  process.stderr.write(`\n${[title, ...lines].join('\n')}\n`);
}
