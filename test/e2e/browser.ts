/** The built page and a headless Chromium, for tests. `null` where there is no Chromium. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Express } from 'express';
import { type Browser, chromium, type Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The path of a Chromium on this machine; undefined when there is none. */
export function findBrowser(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Builds the page into a folder of its own. */
export function buildDashboard(): { readonly dist: string; remove(): void } {
  const dist = mkdtempSync(join(tmpdir(), 'dashboard-'));
  const vite = ['node_modules/vite/bin/vite.js', 'build', 'dashboard'];
  const built = spawnSync(
    process.execPath,
    [...vite, '--outDir', dist, '--emptyOutDir', '--logLevel', 'warn'],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' } },
  );
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
  return { dist, remove: () => rmSync(dist, { recursive: true, force: true }) };
}

export interface OpenOptions {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
}

export interface Site {
  readonly url: string;
  /** What pages complained of, but for refusals that a test asks for. */
  readonly trouble: string[];
  open(path?: string, options?: OpenOptions): Promise<Page>;
  signIn(page: Page, token: string): Promise<void>;
  close(): Promise<void>;
}

/** Serves the app and opens pages of it. */
export async function openSite(app: Express, executablePath: string): Promise<Site> {
  const server: Server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser: Browser = await chromium.launch({ executablePath, args: ARGS });
  const trouble: string[] = [];
  return {
    url,
    trouble,
    async open(path = '/', { width = 1_280, colorScheme = 'light' } = {}) {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      const page = await context.newPage();
      page.on('pageerror', (error) => trouble.push(error.message));
      page.on('console', (message) => {
        const refused = /status of 4\d\d/.test(message.text());
        if (message.type() === 'error' && !refused) trouble.push(message.text());
      });
      await page.goto(`${url}${path}`);
      return page;
    },
    async signIn(page, token) {
      await page.getByLabel('API key').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
