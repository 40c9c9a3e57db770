import {
  test as base,
  type Browser,
  type BrowserContextOptions,
  type Page,
} from '@playwright/test';
import { createHome, type Home } from './home.ts';
import {
  findChromium,
  findElectron,
  missingHost,
  startInBrowser,
  startInElectron,
  type RunningHost,
} from './hosts.ts';

export { expect } from '@playwright/test';

/** DeCon Studio as one test sees it; the same on both hosts. */
export interface App {
  /** The window. Another object after `restart`. */
  readonly page: Page;
  /** Scheme and host of the window's address. */
  readonly origin: string;
  /** The home folder of this test; put data to choose in dialogs below it. */
  readonly homeDir: string;
  /** Where new projects are created. */
  readonly projectDir: string;
  /** Presses Enter in the terminal of `decon serve`. @returns an address that works once */
  newLink(): Promise<string>;
  /** Ends the program (not the page) as a power failure would. */
  kill9(): Promise<void>;
  /** Takes faults of the page so far as meant; otherwise they fail the test. */
  forgetFaults(): void;
  /** Starts the program again on the same home folder and opens its window. */
  restart(): Promise<Page>;
}

interface Options {
  /**
   * Further words of the command line. What depends on the home folder:
   * `test.use({ startArguments: async ({ home }, use) => use(['--project', join(home.dir, 'a')]) })`
   */
  startArguments: string[];
}

interface Shared {
  openBrowser: () => Promise<Browser>;
}

/** The test function of every spec: `test('...', async ({ app }) => { ... })`. */
export const test = base.extend<Options & { home: Home; app: App }, Shared>({
  startArguments: [[], { option: true }],

  // Its own browser fixture would start a browser for Electron, too.
  openBrowser: [
    async ({ playwright }, use) => {
      let browser: Promise<Browser> | undefined;
      await use(() => {
        const executablePath = findChromium();
        browser ??= playwright.chromium.launch({
          ...(executablePath === undefined ? {} : { executablePath }),
          args: ['--no-sandbox'],
        });
        return browser;
      });
      await (await browser)?.close();
    },
    { scope: 'worker' },
  ],

  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names from the pattern
  home: async ({}, use) => {
    const home = await createHome();
    await use(home);
    await home.dispose();
  },

  app: async (
    { openBrowser, home, startArguments, viewport, colorScheme, contextOptions },
    use,
    testInfo,
  ) => {
    const isElectron = testInfo.project.metadata['host'] === 'electron';
    const missing = missingHost(isElectron ? 'electron' : 'browser');
    testInfo.skip(missing !== undefined, missing);
    const faults: string[] = [];
    const options: BrowserContextOptions = { ...contextOptions, viewport, colorScheme };
    const start = async (): Promise<RunningHost> => {
      const electron = findElectron();
      const host =
        isElectron && electron !== undefined
          ? await startInElectron(electron, home, startArguments)
          : await startInBrowser(await openBrowser(), home, options, startArguments);
      collectFaults(host.page, faults);
      return host;
    };
    let host = await start();
    const app: App = {
      get page() {
        return host.page;
      },
      get origin() {
        return host.origin;
      },
      homeDir: home.dir,
      projectDir: home.projectDir,
      newLink: () => host.newLink(),
      kill9: () => host.kill9(),
      forgetFaults: () => void faults.splice(0),
      restart: async () => {
        await host.stop();
        host = await start();
        return host.page;
      },
    };
    await use(app);
    await host.stop();
    if (testInfo.status === 'passed' && faults.length > 0) throw new Error(faults.join('\n'));
  },
});

/** Faults that no test may leave behind: uncaught errors, and what the policy refused. */
function collectFaults(page: Page, faults: string[]): void {
  page.on('pageerror', (error) => faults.push(`Uncaught in the window: ${error.stack ?? ''}`));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) faults.push(message.text());
  });
}
