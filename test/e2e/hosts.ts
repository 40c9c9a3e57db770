import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  _electron,
  chromium,
  type Browser,
  type BrowserContextOptions,
  type Page,
} from '@playwright/test';
import type { Home } from './home.ts';
import { startServe } from './serve-process.ts';

const root = new URL('../../', import.meta.url);
const electronFolder = new URL('node_modules/electron/', root);
const electronEntry = fileURLToPath(new URL('out/main/index.js', root));

/** The app on one host, as a test drives it. */
export interface RunningHost {
  readonly page: Page;
  /** The address that was opened; `app://studio/` in Electron. */
  readonly origin: string;
  newLink(): Promise<string>;
  kill9(): Promise<void>;
  stop(): Promise<void>;
}

/** Where Chromium is: chosen, Debian's, or Playwright's own; undefined when there is none. */
export function findChromium(): string | undefined {
  const candidates = [
    process.env['DECON_CHROMIUM'],
    '/usr/bin/chromium',
    chromium.executablePath(),
  ];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

/** Electron's program; undefined when only its package is installed. Never imports electron. */
export function findElectron(): string | undefined {
  const file = new URL('path.txt', electronFolder);
  if (!existsSync(file)) return undefined;
  return fileURLToPath(new URL(`dist/${readFileSync(file, 'utf8').trim()}`, electronFolder));
}

/** Why the specs of a host cannot run here. */
export function missingHost(host: 'browser' | 'electron'): string | undefined {
  if (host === 'browser') {
    return findChromium() === undefined
      ? 'No Chromium was found. Install it, or name it in DECON_CHROMIUM.'
      : undefined;
  }
  if (findElectron() === undefined) {
    return 'No Electron program is installed (node_modules/electron/path.txt is missing).';
  }
  return existsSync(electronEntry) ? undefined : 'Run "npm run build" first.';
}

/** `decon serve` and a page of a browser that opened its address. */
export async function startInBrowser(
  browser: Browser,
  home: Home,
  options: BrowserContextOptions,
  words: readonly string[],
): Promise<RunningHost> {
  const assets = process.env['DECON_E2E_ASSETS'] ?? fileURLToPath(new URL('out/renderer', root));
  const server = await startServe(home.env, { assets, arguments: words });
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(server.link);
  await page.waitForURL((url) => url.search === ''); // the token is gone from the address
  return {
    page,
    origin: new URL(server.link).origin,
    newLink: () => server.newLink(),
    kill9: () => server.kill9(),
    stop: async () => {
      await context.close();
      await server.stop();
    },
  };
}

/** Our own window; needs `npm run build`. */
export async function startInElectron(
  executablePath: string,
  home: Home,
  words: readonly string[],
): Promise<RunningHost> {
  const env = Object.entries(home.env).filter((pair): pair is [string, string] => !!pair[1]);
  const app = await _electron.launch({
    executablePath,
    args: [electronEntry, ...words],
    env: Object.fromEntries(env),
  });
  const page = await app.firstWindow();
  return {
    page,
    origin: 'app://studio',
    newLink: () => Promise.resolve('app://studio/'),
    kill9: () => {
      const child = app.process();
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      child.kill('SIGKILL');
      return ended;
    },
    stop: () => app.close(),
  };
}
