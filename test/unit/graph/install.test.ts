import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import * as v from 'valibot';
import { readDeviceCache, writeDeviceCache } from '../../../src-main/graph/device-cache.ts';
import type { DeviceReport } from '../../../src-main/graph/device-report.ts';
import {
  INSTALLERS,
  installDevice,
  runInstaller,
  type Installer,
} from '../../../src-main/graph/install.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-install-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

function installer(script: string): Installer {
  writeFileSync(join(folder, 'install.cjs'), script);
  return {
    title: 'Engine',
    packageName: 'engine',
    script: 'install.cjs',
    scriptArguments: ['gpu'],
    environment: {},
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
    ['throw new Error("no such package")', /Its installer ended with: Error: no such package$/],
    ['throw new Error("HTTP status code = 503")', /did not send the files \(HTTP status 503\)/],
    ['throw new Error("self-signed certificate in chain")', /connection .* is not trusted/],
  ])('says why it failed: %s', async (script, message) => {
    const failure = install(installer(script));
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toMatchObject({ code: 'device.install-failed' });
  });

  it('keeps the crash of a script from the user and sweeps up what it left', async () => {
    const lines: string[] = [];
    const script = `
      const folder = require('node:os').tmpdir();
      console.log(folder);
      require('node:fs').writeFileSync(folder + '/half', 'half a file');
      throw new Error('broken off');`;
    await expect(install(installer(script), undefined, (line) => lines.push(line))).rejects.toThrow(
      'broken off',
    );
    expect(lines).toEqual([expect.stringContaining('decon-fetch-')]);
    expect(existsSync(lines[0] ?? '')).toBe(false);
  });

  it('passes settings and the proxy on', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy.example.org:3128');
    vi.stubEnv('WANTED', 'skip');
    const lines: string[] = [];
    const script = `
      console.log(process.env.GLOBAL_AGENT_HTTPS_PROXY, process.env.WANTED);
      require('node:fs').writeFileSync('engine.node', '');`;
    const given = { ...installer(script), environment: { WANTED: 'true' } };
    await install(given, undefined, (line) => lines.push(line));
    expect(lines).toEqual(['http://proxy.example.org:3128 true']);
    rmSync(join(folder, 'engine.node'));
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

describe('installDevice', () => {
  const cpu: DeviceReport = { type: 'works', name: 'cpu', gigaflops: 80, hardware: 'A chip' };
  const stale: DeviceReport = { type: 'unavailable', name: 'cuda', reason: 'Not installed.' };
  const script = `require('node:fs').writeFileSync('engine.node', '');`;

  it('tries the device afterwards and keeps the result beside the known ones', async () => {
    const cacheFolder = join(folder, 'cache');
    writeDeviceCache([cpu, stale], cacheFolder);
    const tried: string[] = [];
    // As files that arrive do, another setting makes the kept reports those of another machine.
    const locate = (): string => {
      vi.stubEnv('CUDA_VISIBLE_DEVICES', '');
      return folder;
    };
    const options = { cacheFolder, onTry: (name: string) => void tried.push(name) };
    const report = await installDevice('cuda', options, { installer: installer(script), locate });
    expect(tried).toEqual(['cuda']);
    expect(report).not.toEqual(stale);
    expect(report.name).toBe('cuda');
    expect(readDeviceCache(cacheFolder)).toEqual([cpu, report]);
  });

  it('keeps the known reports when the files do not arrive', async () => {
    const cacheFolder = join(folder, 'untouched');
    writeDeviceCache([cpu, stale], cacheFolder);
    rmSync(join(folder, 'engine.node'), { force: true });
    const parts = { installer: installer('process.exit(1)'), locate: () => folder };
    const failed = installDevice('cuda', { cacheFolder }, parts);
    await expect(failed).rejects.toMatchObject({ code: 'device.install-failed' });
    expect(readDeviceCache(cacheFolder)).toEqual([cpu, stale]);
  });
});

describe('the installer of CUDA', () => {
  const { environment, packageName, proof, script, scriptArguments } = INSTALLERS.cuda;
  const root = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));

  it('names a file that the package fetches', () => {
    const metadata = v.parse(
      v.object({
        requirements: v.record(v.string(), v.array(v.string())),
        manifests: v.record(v.string(), v.record(v.string(), v.unknown())),
      }),
      createRequire(import.meta.url)(join(root, 'script/install-metadata.js')),
    );
    const wanted = (metadata.requirements['linux/x64'] ?? []).flatMap((name) =>
      Object.keys(metadata.manifests[`linux/x64:${name}`] ?? {}),
    );
    expect(wanted.map((name) => basename(name))).toContain(basename(proof));
    expect(readdirSync(root)).toContain(dirname(script));
  });

  it("asks for the files in words that the package's script takes, also under npm run", () => {
    // The script as it is, with a stand-in for the part that downloads.
    const real = (file: string): string => JSON.stringify(join(root, 'script', file));
    const started = join(folder, 'start.cjs');
    writeFileSync(
      started,
      `require(${real('install-utils.js')}).installPackages = (packages, manifests) =>
         console.log(manifests.map(({ filepath }) => filepath).join());
       require(${real('install.js')});`,
    );
    const { stdout } = spawnSync(process.execPath, [started, ...scriptArguments], {
      encoding: 'utf8',
      env: {
        ...process.env,
        ONNXRUNTIME_NODE_INSTALL: 'skip',
        npm_package_json: join(root, 'package.json'),
        npm_config_local_prefix: root,
        ...environment,
      },
    });
    const isLinux = process.platform === 'linux' && process.arch === 'x64';
    expect(stdout).toContain(isLinux ? join(root, proof) : '');
  });
});
