import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extractAll, listPackage } from '@electron/asar';
import { Arch, build, Platform } from 'electron-builder';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from './build-app.ts';
import { makeStubElectron } from './stub-electron.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The packages that the configuration lets in; all others are bundled. */
const packages = [
  'better-sqlite3',
  'onnxruntime-node',
  'onnxruntime-common',
  'sharp',
  'detect-libc',
  'semver',
  '@img',
];

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('a packed folder', () => {
  let folder = '';
  let resources = '';
  let out: URL;
  let unpacked: readonly string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'decon-pack-'));
    const app = stage(join(folder, 'app'));
    out = await buildApp();
    cpSync(fileURLToPath(out), join(app, 'out'), { recursive: true });
    await build({
      projectDir: app,
      // A stub has no fuses to flip; everything else is as in electron-builder.yml.
      config: { electronDist: await makeStubElectron(folder), electronFuses: null },
      targets: Platform.LINUX.createTarget('dir', Arch.x64),
      publish: 'never',
    });
    resources = join(app, 'dist', 'linux-unpacked', 'resources');
    const options = { recursive: true, encoding: 'utf8' } as const;
    unpacked = readdirSync(join(resources, 'app.asar.unpacked'), options);
  }, 120_000);
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(out, { recursive: true, force: true });
  });

  test('holds the bundle, the demo and nothing of the sources or tests', () => {
    const names = new Set(
      listPackage(join(resources, 'app.asar'), { isPack: false }).map((name) => name.slice(1)),
    );
    for (const name of ['out/main/index.js', 'out/main/job.js', 'out/main/pictures.js']) {
      expect(names).toContain(name);
    }
    expect(names).toContain('out/preload/preload.cjs');
    expect(names).toContain('package.json');
    expect(names).toContain('resources/icons/icon.png');
    expect([...names].filter((name) => /^(src-|test|docs|\.)/.test(name))).toEqual([]);
    const modules = [...names].flatMap((name) => /^node_modules\/([^/]+)$/.exec(name)?.[1] ?? []);
    expect(modules.sort()).toEqual(packages.toSorted());
  });

  test('unpacks native files of this system only, and the demo images', () => {
    const native = unpacked.filter((name) => /\.(node|so(\.\d+)*|dylib|dll)$/.test(name));
    expect(native.length).toBeGreaterThanOrEqual(4);
    for (const name of native) expect(name).toMatch(/linux(-|\/)x64/);
    expect(native.join('\n')).toMatch(/libvips-cpp\.so/);
    expect(native.join('\n')).toMatch(/libonnxruntime\.so/);
    expect(native.join('\n')).toMatch(/better-sqlite3\/prebuilds\/linux-x64\.node/);
    expect(unpacked.filter((name) => name.startsWith('resources/demo/images/')).length).toBe(
      readdirSync(join(root, 'resources/demo/images')).length,
    );
  });

  test('is small: no binaries of other systems', () => {
    const bytes = sizeOf(resources);
    expect(bytes / 1e6).toBeGreaterThan(40);
    expect(bytes / 1e6).toBeLessThan(110);
  });

  test('its three native modules load from where they are unpacked', () => {
    const extracted = join(folder, 'extracted');
    extractAll(join(resources, 'app.asar'), extracted);
    const code = `
      const Database = require('better-sqlite3');
      const db = new Database(':memory:');
      const ort = require('onnxruntime-node');
      const sharp = require('sharp');
      console.log(db.prepare('select 6 * 7 as n').get().n, typeof ort.InferenceSession, sharp.versions.vips);`;
    const printed = execFileSync(process.execPath, ['-e', code], {
      cwd: extracted,
      encoding: 'utf8',
    });
    expect(printed).toMatch(/^42 function \d+\.\d+/);
  });
});

/** A project as the packager sees it: what is shipped, and only the packages that are let in. */
function stage(app: string): string {
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  for (const name of ['package.json', 'package-lock.json', 'electron-builder.yml', 'resources']) {
    cpSync(join(root, name), join(app, name), { recursive: true });
  }
  for (const name of packages) {
    const source = join(root, 'node_modules', name);
    if (!existsSync(source)) throw new Error(`${source} is missing; run "npm ci"`);
    // Links, because onnxruntime alone has 290 MB.
    execFileSync('cp', ['-al', source, join(app, 'node_modules', name)]);
  }
  return app;
}

function sizeOf(path: string): number {
  const facts = statSync(path);
  if (!facts.isDirectory()) return facts.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
