import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
/** The packager's own reading and checking; they have no types for others. */
const { getConfig, validateConfiguration } = v.parse(
  v.object({ getConfig: v.function(), validateConfiguration: v.function() }),
  createRequire(import.meta.url)('app-builder-lib/out/util/config/config.js'),
);
const config: unknown = await getConfig(fileURLToPath(root), 'electron-builder.yml', {});
const noLog = { isEnabled: false, add: () => undefined };

test('the configuration is valid, and a typo would not be', async () => {
  await validateConfiguration(config, noLog);
  const misspelt = { ...v.parse(v.looseObject({}), config), asarUnpak: [] };
  await expect(validateConfiguration(misspelt, noLog)).rejects.toThrow(/asarUnpak/);
});

test('every fuse is set as the security settings say', () => {
  const { electronFuses } = v.parse(v.looseObject({ electronFuses: v.unknown() }), config);
  expect(electronFuses).toEqual({
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    grantFileProtocolExtraPrivileges: false,
    loadBrowserProcessSpecificV8Snapshot: false,
    enableCookieEncryption: false,
    onlyLoadAppFromAsar: true,
    enableEmbeddedAsarIntegrityValidation: true,
  });
});

test('macOS gets the hardened runtime and may compile while it runs, nothing else', () => {
  const { mac } = v.parse(v.looseObject({ mac: v.looseObject({}) }), config);
  expect(mac).toMatchObject({ hardenedRuntime: true, notarize: true });
  const entitlements = readFileSync(new URL('resources/mac/entitlements.plist', root), 'utf8');
  expect([...entitlements.matchAll(/<key>(.*)<\/key>/g)].map(([, key]) => key)).toEqual([
    'com.apple.security.cs.allow-jit',
  ]);
});

test('icons are there in every form', () => {
  const head = (name: string) => readFileSync(new URL(`resources/icons/${name}`, root));
  expect(head('icon.ico').readUInt16LE(4)).toBe(7);
  const icns = head('icon.icns');
  expect(icns.toString('latin1', 0, 4)).toBe('icns');
  expect(icns.readUInt32BE(4)).toBe(icns.length);
  expect(head('icon.png').readUInt32BE(16)).toBe(1024);
});
