/** The test suites by name: which run by default, what the others need, and how to run them. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const BROWSERS = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'msedge',
];
const MAC_BROWSERS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

export const SHORT = ['unit', 'contract', 'integration'];
/** Those that kill processes; CI runs them too, with few seeds. */
export const PROOF = ['faults'];
export const LONG = ['long'];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** CHROME_BIN, or a Chromium or Chrome on this machine; undefined when there is none. */
export function findBrowser(env = process.env) {
  if (env.CHROME_BIN) return isProgram(env.CHROME_BIN) ? env.CHROME_BIN : undefined;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const places = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...places, ...(process.platform === 'darwin' ? MAC_BROWSERS : [])].find(isProgram);
}

/**
 * Reads our own options off the command line: `--all` adds the long suites and e2e. What is left goes to jest. A
 * `--selectProjects` of the caller is taken as it is.
 */
export function chooseSuites(args, browser) {
  const rest = args.filter((arg) => arg !== '--all');
  const all = rest.length < args.length;
  if (rest.some((arg) => arg.startsWith('--selectProjects'))) return { suites: [], rest, skipped: [] };
  const suites = [
    ...SHORT,
    ...(all ? [...PROOF, ...LONG] : []),
    ...(all && browser !== undefined ? ['e2e'] : []),
  ];
  const skipped = all
    ? []
    : [
        ...PROOF.map((name) => `${name} (npm run proof -- --short)`),
        ...LONG.map((name) => `${name} (takes minutes: npm test -- --all)`),
      ];
  if (browser === undefined) skipped.push('e2e (no Chromium or Chrome found; CHROME_BIN names one)');
  else if (!all) skipped.push('e2e (npm test -- --all)');
  return { suites, rest, skipped };
}
