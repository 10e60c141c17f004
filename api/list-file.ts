/** A CSV list of customers as rows, and everything wrong with it by line and column. Nothing half read: all mistakes come at once. */
import { CsvError, parse } from 'csv-parse/sync';
import { COLUMNS, type Column, keyOf, problemsOf, type RawRow } from '../workflows/import-rows.ts';

export interface ListRow {
  /** Line of the file, the header being line 1. */
  readonly line: number;
  readonly raw: RawRow;
}

export interface ListProblem {
  readonly line: number;
  /** A column's name, or null when the line as a whole is meant. */
  readonly field: string | null;
  readonly detail: string;
}

export interface ListFile {
  readonly rows: readonly ListRow[];
  readonly problems: readonly ListProblem[];
}

export const MAX_ROWS = 500;
const MAX_CELL = 1_000;
const NOT_UTF8 = '\uFFFD';

/** `defaults` are fields of every start form that no column holds. */
export function readList(text: string, defaults: Readonly<Record<string, unknown>>): ListFile {
  if (text.includes(NOT_UTF8))
    return refused(1, 'The file is not UTF-8: save it as "CSV UTF-8 (comma delimited)".');
  const read = readLines(text);
  if ('problem' in read) return refused(read.problem.line, read.problem.detail);
  const [header, ...lines] = read.lines;
  if (header === undefined) return refused(1, 'The file is empty.');
  const names = header.cells.map((cell) => cell.toLowerCase().replaceAll(/[\s-]+/g, '_'));
  const problems = headerProblems(names);
  if (problems.length > 0) return { rows: [], problems };
  if (lines.length === 0) return refused(1, 'The file has a header and no rows.');
  if (lines.length > MAX_ROWS) return refused(MAX_ROWS + 2, `A list has at most ${MAX_ROWS} rows.`);

  const rows = lines.map(({ line, cells }) => ({ line, raw: rawOf(names, cells) }));
  const widths = lines.flatMap(({ line, cells }) => widthProblems(line, cells, names.length));
  const wrong = new Set(widths.map(({ line }) => line));
  const inRows = rows
    .filter(({ line }) => !wrong.has(line))
    .flatMap(({ line, raw }) => problemsOf(raw, defaults).map((problem) => ({ line, ...problem })));
  const all = [...widths, ...inRows, ...repetitions(rows)].toSorted((a, b) => a.line - b.line);
  return { rows, problems: all };
}

interface Line {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Excel writes semicolons where the comma parts decimals; the header tells, since no column's name holds either. */
function delimiterOf(text: string): string {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  return [';', '\t'].find((mark) => header.includes(mark) && !header.includes(',')) ?? ',';
}

function readLines(text: string): { readonly lines: readonly Line[] } | { readonly problem: ListProblem } {
  const lines: Line[] = [];
  try {
    parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      trim: true,
      max_record_size: 100_000,
      onRecord: (record: string[], { lines: line }) => {
        lines.push({ line, cells: record });
        return null;
      },
    });
    return { lines };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
    return { problem: { line, field: null, detail: `This line cannot be read as CSV: ${error.message}` } };
  }
}

function headerProblems(names: readonly string[]): ListProblem[] {
  const known = Object.keys(COLUMNS);
  return names.flatMap((name, index) => {
    const field = name === '' ? null : name.slice(0, 100);
    if (!known.includes(name))
      return [
        { line: 1, field, detail: `is not a column of a customer list; these are: ${known.join(', ')}` },
      ];
    return names.indexOf(name) === index ? [] : [{ line: 1, field, detail: 'stands twice in the header' }];
  });
}

function widthProblems(line: number, cells: readonly string[], width: number): ListProblem[] {
  if (cells.length !== width)
    return [{ line, field: null, detail: `has ${cells.length} cells, the header has ${width}` }];
  const long = cells.findIndex((cell) => cell.length > MAX_CELL);
  return long < 0 ? [] : [{ line, field: null, detail: `has a cell of more than ${MAX_CELL} characters` }];
}

function rawOf(names: readonly string[], cells: readonly string[]): RawRow {
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const value = cells[index] ?? '';
      return value === '' ? [] : [[name as Column, value] as const];
    }),
  );
}

function repetitions(rows: readonly ListRow[]): ListProblem[] {
  const first = new Map<string, number>();
  return rows.flatMap(({ line, raw }) => {
    const key = keyOf(raw);
    const before = first.get(key);
    if (before === undefined) first.set(key, line);
    if (before === undefined || key === '') return [];
    const field =
      raw.domain !== undefined ? 'domain' : raw.domain_prefix !== undefined ? 'domain_prefix' : 'company';
    return [{ line, field, detail: `is the customer of line ${before} again` }];
  });
}

function refused(line: number, detail: string): ListFile {
  return { rows: [], problems: [{ line, field: null, detail }] };
}
