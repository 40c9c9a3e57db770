import { fileURLToPath } from 'node:url';
import { resolveConfig } from 'electron-vite';
import { build } from 'vite';

/**
 * Builds main, its processes and preload as `npm run build` does, into a folder of its own.
 * @returns the folder, which the caller removes
 */
export async function buildApp(): Promise<URL> {
  // Beside `out/`: the bundle finds `resources/` and the native modules from its folder.
  const out = new URL(`../../out-test-${process.pid}/`, import.meta.url);
  process.env['DECON_OUT_DIR'] = fileURLToPath(out);
  const configFile = fileURLToPath(new URL('../../electron.vite.config.ts', import.meta.url));
  const { config } = await resolveConfig({ configFile, logLevel: 'warn' }, 'build', 'production');
  for (const part of [config?.main, config?.preload]) {
    if (part === undefined) throw new Error('electron.vite.config.ts has no main or preload');
    await build({ ...part, configFile: false, logLevel: 'warn' });
  }
  return out;
}
