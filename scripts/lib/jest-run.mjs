/** Runs jest and counts. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** From jest's `--json` report. A suite that could not even run counts as one failure. */
export function countTests(report) {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Resolves with `{ passed, failed, skipped }`; a jest that dies without a report counts as one failure. */
export async function runJest({ root, args, env = process.env }) {
  const dir = mkdtempSync(join(tmpdir(), 'jest-'));
  const file = join(dir, 'report.json');
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  const child = spawn(
    process.execPath,
    // A handle that a test left open must not hold up whoever waits for the result.
    [...jest, '--passWithNoTests', '--forceExit', '--json', `--outputFile=${file}`, ...args],
    {
      cwd: root,
      env,
      // The report goes to stdout as well, which nobody wants to read.
      stdio: ['inherit', 'ignore', 'inherit'],
    },
  );
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (status, signal) => resolve(signal === null ? status : 1));
  });
  try {
    const counts = countTests(JSON.parse(readFileSync(file, 'utf8')));
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
