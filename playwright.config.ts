import { defineConfig } from '@playwright/test';

/** End-to-end tests: the same specs in a browser against `decon serve`, and in Electron. */
export default defineConfig({
  testDir: 'test/e2e',
  outputDir: 'test-results',
  globalSetup: './test/e2e/build-window.ts',
  fullyParallel: true,
  workers: 1,
  forbidOnly: process.env['CI'] !== undefined,
  // A busy machine may be late once; a second try tells that from a fault, and the report says so.
  retries: process.env['CI'] === undefined ? 0 : 2,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: { trace: 'retain-on-failure', actionTimeout: 15_000 },
  projects: [
    { name: 'browser', metadata: { host: 'browser' } },
    { name: 'electron', metadata: { host: 'electron' } },
  ],
});
