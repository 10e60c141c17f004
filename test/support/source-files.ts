/** Reads the project's own sources for the tests that hold the house rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface SourceFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

const SKIPPED = new Set(['node_modules', 'dist', '.data', 'generated', 'coverage']);

/** Every .ts and .tsx below these folders. */
export function readSources(folders: readonly string[]): SourceFile[] {
  return folders.flatMap(walk);
}

function walk(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : walk(path);
    if (!/\.tsx?$/.test(entry.name)) return [];
    return [{ path, text: readFileSync(join(ROOT, path), 'utf8') }];
  });
}

/**
 * The text with comments, templates, regular expressions and the insides of strings blanked out, at equal length, so
 * that a pattern matches code only. Code inside `${}` of a template stays.
 */
export function codeOnly(text: string): string {
  let out = '';
  let index = 0;
  const templates: number[] = [];
  const blank = (end: number) => {
    out += text.slice(index, end).replace(/[^\n]/g, ' ');
    index = end;
  };
  while (index < text.length) {
    const rest = text.slice(index, index + 2);
    const char = rest.charAt(0);
    if (rest === '//') blank(endOf(text, '\n', index));
    else if (rest === '/*') blank(endOf(text, '*/', index + 2) + 2);
    else if (char === "'" || char === '"') {
      const end = endOfString(text, index);
      out += `${char}${' '.repeat(Math.max(0, end - index - 2))}${char}`;
      index = end;
    } else if (char === '`' || (char === '}' && templates.at(-1) === 0)) {
      if (char === '}') templates.pop();
      const end = endOfTemplate(text, index + 1);
      if (text.startsWith('${', end - 2)) templates.push(0);
      blank(end);
    } else if (char === '/' && startsRegExp(out)) blank(endOfRegExp(text, index));
    else {
      const depth = templates.length - 1;
      if (depth >= 0 && char === '{') templates[depth] = (templates[depth] ?? 0) + 1;
      if (depth >= 0 && char === '}') templates[depth] = (templates[depth] ?? 0) - 1;
      out += char;
      index += 1;
    }
  }
  return out;
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? text.length : found;
}

function endOfString(text: string, start: number): number {
  const quote = text.charAt(start);
  let index = start + 1;
  while (index < text.length && text.charAt(index) !== quote && text.charAt(index) !== '\n') {
    index += text.charAt(index) === '\\' ? 2 : 1;
  }
  return Math.min(index + 1, text.length);
}

/** Behind the closing backtick, or behind the next `${`. */
function endOfTemplate(text: string, start: number): number {
  let index = start;
  while (index < text.length) {
    if (text.charAt(index) === '`') return index + 1;
    if (text.startsWith('${', index)) return index + 2;
    index += text.charAt(index) === '\\' ? 2 : 1;
  }
  return text.length;
}

function startsRegExp(before: string): boolean {
  return /(?:^|[(,=:[!&|?{};+>]|=>|\breturn|\bcase|\btypeof)\s*$/.test(before.slice(-40));
}

function endOfRegExp(text: string, start: number): number {
  let inClass = false;
  let index = start + 1;
  while (index < text.length && text.charAt(index) !== '\n') {
    const char = text.charAt(index);
    if (char === '[') inClass = true;
    if (char === ']') inClass = false;
    if (char === '/' && !inClass) return index + 1;
    index += char === '\\' ? 2 : 1;
  }
  return index;
}

export interface ImportStatement {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

/** Static imports, re-exports, dynamic `import()` and `import('…')` types of a file. */
export function importsOf(text: string): ImportStatement[] {
  const code = codeOnly(text);
  return IMPORT_PATTERNS.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => {
      // Contents of strings are blank in `code`; the source has them at the same place.
      const end = match.index + match[0].length - 1;
      const start = code.lastIndexOf(code.charAt(end), end - 1) + 1;
      return {
        specifier: text.slice(start, end),
        typeOnly: match[1] !== undefined,
        line: text.slice(0, match.index).split('\n').length,
      };
    }),
  );
}

const IMPORT_PATTERNS = [
  /\b(?:import|export)\s+(type\s)?[\w*\s{},$]*?\bfrom\s*(?:' *'|" *")/g,
  /\bimport\s*(?:' *'|" *")/g,
  /\bimport\s*\(\s*(?:' *'|" *")/g,
];
