import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runInstaller, type Installer } from '../../../src-main/graph/install.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-install-'));
afterAll(() => rmSync(folder, { recursive: true }));

function installer(script: string): Installer {
  writeFileSync(join(folder, 'install.cjs'), script);
  return {
    title: 'Engine',
    packageName: 'engine',
    script: 'install.cjs',
    scriptArguments: ['gpu'],
    proof: 'engine.node',
    systems: [`${process.platform}-${process.arch}`],
    source: 'files.example.org',
  };
}

function install(given: Installer, signal?: AbortSignal, onLine?: (line: string) => void) {
  const options = {
    ...(signal === undefined ? {} : { signal }),
    ...(onLine === undefined ? {} : { onLine }),
  };
  return runInstaller(given, options, () => folder);
}

describe('runInstaller', () => {
  it("runs the package's script in its folder and passes its lines on", async () => {
    const lines: string[] = [];
    const script = `
      console.log('fetching', process.argv[2]);
      require('node:fs').writeFileSync('engine.node', '');`;
    await install(installer(script), undefined, (line) => lines.push(line));
    expect(lines).toEqual(['fetching gpu']);
    rmSync(join(folder, 'engine.node'));
  });

  it.each([
    [
      'throw new Error("getaddrinfo ENOTFOUND files.example.org")',
      /files\.example\.org could not be reached/,
    ],
    ['throw new Error("EACCES: permission denied")', /may not be written to/],
    ['throw new Error("ENOSPC: no space left")', /The disk is full/],
    ['console.log("all is well")', /Its installer ended with: all is well/],
  ])('says why it failed: %s', async (script, message) => {
    const failure = install(installer(script));
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toMatchObject({ code: 'device.install-failed' });
  });

  it('refuses a system for which there are no files', async () => {
    await expect(install({ ...installer(''), systems: ['plan9-mips'] })).rejects.toThrow(
      /Engine has no files for this computer/,
    );
  });

  it('names a missing package', async () => {
    const missing = { ...installer(''), packageName: 'no-such-package-at-all' };
    await expect(runInstaller(missing, {})).rejects.toThrow(
      'The package no-such-package-at-all is missing.',
    );
  });

  it('stops when cancelled', async () => {
    const hang = installer('setInterval(() => undefined, 1000);');
    await expect(install(hang, AbortSignal.timeout(50))).rejects.toBeInstanceOf(CancelledError);
  });
});
