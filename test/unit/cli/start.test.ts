import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isStale } from '../../../src-main/cli/builds.ts';
import { findElectron } from '../../../src-main/cli/electron-program.ts';
import { browserCommand } from '../../../src-main/cli/open-browser.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'decon-start-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, seconds: number): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, 'x');
  utimesSync(path, seconds, seconds);
  return path;
}

test('what was built is stale when it is missing or a source is newer', () => {
  const source = write('sources/a/b.ts', 1000);
  utimesSync(join(folder, 'sources/a'), 1000, 1000);
  utimesSync(join(folder, 'sources'), 1000, 1000);
  const sources = [join(folder, 'sources'), join(folder, 'not-there')];
  expect(isStale(join(folder, 'out.js'), sources)).toBe(true);
  const built = write('out.js', 2000);
  expect(isStale(built, sources)).toBe(false);
  utimesSync(source, 3000, 3000);
  expect(isStale(built, sources)).toBe(true);
});

test('without its program Electron is said to be missing, with the way to get it', () => {
  const root = pathToFileURL(`${folder}/`);
  const missing = findElectron({ DISPLAY: ':0' }, root);
  expect(missing).toMatchObject({ type: 'missing' });
  expect(JSON.stringify(missing)).toContain('npx install-electron');
  write('node_modules/electron/path.txt', 1);
  writeFileSync(join(folder, 'node_modules/electron/path.txt'), 'electron\n');
  expect(findElectron({ DISPLAY: ':0' }, root)).toEqual({
    type: 'found',
    path: join(folder, 'node_modules/electron/dist/electron'),
  });
});

test.runIf(process.platform === 'linux')('without a screen the browser is taken', () => {
  write('node_modules/electron/path.txt', 1);
  const electron = findElectron({}, pathToFileURL(`${folder}/`));
  expect(JSON.stringify(electron)).toContain('no screen');
});

test.each([
  ['linux', ['xdg-open', 'http://127.0.0.1:1/?token=a&b']],
  ['darwin', ['open', 'http://127.0.0.1:1/?token=a&b']],
  ['win32', ['rundll32.exe', 'url.dll,FileProtocolHandler', 'http://127.0.0.1:1/?token=a&b']],
] as const)('on %s an address is opened without a shell', (platform, command) => {
  expect(browserCommand(platform, 'http://127.0.0.1:1/?token=a&b')).toEqual(command);
});
