import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { missingHost } from './hosts.ts';

/** The folder of a window that was built already; nothing is built then. */
const given = process.env['DECON_E2E_ASSETS'];

/**
 * Says which hosts are skipped, and builds the window once for all specs, into a folder of its own.
 * @returns what removes it
 */
export default async function buildWindow(): Promise<() => Promise<void>> {
  for (const host of ['browser', 'electron'] as const) {
    const missing = missingHost(host);
    if (missing !== undefined) console.log(`The specs of "${host}" are skipped. ${missing}`);
  }
  if (given !== undefined) return () => Promise.resolve();
  const outDir = await mkdtemp(join(tmpdir(), 'decon-window-'));
  await build({
    configFile: resolve(import.meta.dirname, '../../vite.config.ts'),
    logLevel: 'warn',
    build: { outDir },
  });
  process.env['DECON_E2E_ASSETS'] = outDir;
  return () => rm(outDir, { recursive: true, force: true });
}
