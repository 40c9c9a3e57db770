import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** A Vulkan driver in software, from Debian's chromium; WebGPU tests run on it without a GPU. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
const isDriverChosen = process.env['VK_ICD_FILENAMES'] !== undefined;
const driver =
  !isDriverChosen && existsSync(swiftShader) ? { VK_ICD_FILENAMES: swiftShader } : undefined;

/** Apart from the caches of the user; kept from run to run, as on a user's machine. */
const caches = { DECON_CACHE_DIR: join(tmpdir(), 'decon-test-cache') };

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One group after the other: the last ones use every core themselves.
    projects: [
      project('unit', 0),
      project('parity', 0),
      project('webgpu', 1, driver),
      project('demo', 2),
      project('packaging', 3),
    ],
  },
});

function project(
  name: string,
  groupOrder: number,
  env: Record<string, string> = {},
): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      sequence: { groupOrder },
      env: { ...caches, ...env },
    },
  };
}
