import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readDeviceCache, writeDeviceCache } from '../../../src-main/graph/device-cache.ts';
import { runProbe } from '../../../src-main/graph/device-process.ts';
import { unavailableReason } from '../../../src-main/graph/device-reasons.ts';
import type { DeviceReport } from '../../../src-main/graph/device-report.ts';
import { chooseDevice, fastest } from '../../../src-main/graph/devices.ts';
import { loadTensorflow, reasonOf } from '../../../src-main/graph/tensorflow.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-devices-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cpu: DeviceReport = { type: 'works', name: 'cpu', gigaflops: 80, hardware: 'chip' };
const webgpu: DeviceReport = {
  type: 'works',
  name: 'webgpu',
  gigaflops: 1234.5,
  hardware: 'card',
  memoryBytes: 8e9,
};
const cuda: DeviceReport = { type: 'unavailable', name: 'cuda', reason: 'No card.' };

describe('fastest', () => {
  it('takes the fastest device that works and says what it is compared with', () => {
    expect(fastest([cpu, webgpu, cuda])).toEqual({
      name: 'webgpu',
      device: { executor: 'onnxruntime', provider: 'webgpu' },
      message: 'Using WebGPU (1235 GFLOP/s), faster than CPU 80 GFLOP/s.',
      isFallback: false,
    });
  });

  it('keeps to the CPU where nothing else works, or nothing at all', () => {
    expect(fastest([cpu, cuda])).toMatchObject({
      name: 'cpu',
      message: 'Using CPU (80 GFLOP/s), the only device that works.',
    });
    expect(fastest([cuda])).toMatchObject({ name: 'cpu', device: { provider: 'cpu' } });
  });
});

describe('chooseDevice', () => {
  it('takes the CPU at its word', async () => {
    expect(await chooseDevice('cpu')).toMatchObject({ name: 'cpu', message: 'Using the CPU.' });
  });

  it('falls back to the CPU with the reason', async () => {
    const name = process.platform === 'darwin' ? 'directml' : 'coreml';
    const choice = await chooseDevice(name);
    expect(choice).toMatchObject({ name: 'cpu', isFallback: true });
    expect(choice.message).toMatch(
      /cannot be used\. (?:CoreML|DirectML) exists on .* Using the CPU/,
    );
  });

  it('uses what was measured on this machine before', async () => {
    writeDeviceCache([cpu, cuda], folder);
    const tried: string[] = [];
    const options = { cacheFolder: folder, onTry: (name: string) => tried.push(name) };
    expect((await chooseDevice('auto', options)).message).toContain('80 GFLOP/s');
    expect(tried).toEqual([]);
  });

  it('refuses a name that no device has', async () => {
    await expect(chooseDevice('gpu')).rejects.toMatchObject({
      code: 'device.unknown',
      message:
        'There is no device "gpu". Choose auto, cpu, webgpu, cuda, directml, coreml, tensorflow.',
    });
  });
});

describe('the cache of reports', () => {
  it('returns what was written, for this machine only', () => {
    writeDeviceCache([cpu, webgpu, cuda], folder);
    expect(readDeviceCache(folder)).toEqual([cpu, webgpu, cuda]);
    const file = join(folder, 'devices.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"key": "../, '"key": "zz'));
    expect(readDeviceCache(folder)).toBeUndefined();
    writeFileSync(file, '{');
    expect(readDeviceCache(folder)).toBeUndefined();
    expect(readDeviceCache(join(folder, 'absent'))).toBeUndefined();
  });
});

describe('runProbe', () => {
  const entry = (name: string, code: string) => {
    const path = join(folder, `${name}.mjs`);
    writeFileSync(path, code);
    return pathToFileURL(path);
  };

  it('trains a convolution on the CPU', async () => {
    const report = await runProbe('cpu');
    expect(report).toMatchObject({ type: 'works', name: 'cpu' });
    expect(report.type === 'works' && report.gigaflops > 0.1).toBe(true);
  });

  it('survives a crash and names it', async () => {
    const crash = entry('crash', 'process.kill(process.pid, "SIGSEGV");');
    expect(await runProbe('webgpu', undefined, crash)).toEqual({
      type: 'unavailable',
      name: 'webgpu',
      reason: 'The driver crashed during the trial (SIGSEGV).',
    });
  });

  it('passes a failure on and does not trust other messages', async () => {
    const failure = entry('failure', 'process.send({ type: "failed", message: "Too old." });');
    expect(await runProbe('webgpu', undefined, failure)).toMatchObject({ reason: 'Too old.' });
    const odd = entry('odd', 'process.send({ type: "measured", gigaflops: "many" });');
    expect(await runProbe('webgpu', undefined, odd)).toMatchObject({ type: 'unavailable' });
  });

  it('stops when cancelled', async () => {
    const hang = entry('hang', 'setInterval(() => undefined, 1000);');
    const signal = AbortSignal.timeout(50);
    await expect(runProbe('webgpu', signal, hang)).rejects.toBeInstanceOf(CancelledError);
  });
});

describe('unavailableReason', () => {
  const reason = (name: 'webgpu' | 'cuda', message: string, printed = '') =>
    unavailableReason(name, message, printed, 'It crashed.');

  it('explains what is missing', () => {
    const vulkan = "Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file";
    expect(reason('webgpu', 'Failed to get a WebGPU adapter', vulkan)).toContain('libvulkan1');
    expect(reason('webgpu', 'Failed to get a WebGPU adapter')).toContain('graphics card');
    const files = 'libonnxruntime_providers_shared.so: cannot open shared object file';
    expect(reason('cuda', 'Failed to load shared library', files)).toContain(
      'decon device install cuda',
    );
    const library = 'libcudnn.so.9: cannot open shared object file';
    expect(reason('cuda', 'Failed', library)).toContain("NVIDIA's library libcudnn.so.9 was not");
  });

  it('else gives the error, or how the process ended', () => {
    expect(reason('webgpu', 'Out of registers.')).toBe('Out of registers.');
    expect(unavailableReason('cpu', undefined, '', 'It crashed.')).toBe('It crashed.');
  });
});

describe('loadTensorflow', () => {
  it('says in words what is missing, or loads', async () => {
    const outcome = await loadTensorflow().then(
      () => 'loaded',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
    expect(outcome).toMatch(/^loaded$|Run "decon device install tensorflow"/);
    // The package calls these of node:util, and Node 24 has only the second.
    const util: unknown = createRequire(import.meta.url)('node:util');
    expect(util).toHaveProperty('isNullOrUndefined', expect.any(Function));
    expect(util).toHaveProperty('isArray', expect.any(Function));
  });

  it.each([
    ["Cannot find package '@tensorflow/tfjs-node-gpu' imported from x", /--include=optional/],
    ['The Node.js native addon module (tfjs_binding.node) can not be found', /device install/],
    ['libtensorflow.so.2: cannot open shared object file', /did not load: libtensorflow/],
  ])('explains %s', (message, reason) => {
    expect(reasonOf(message)).toMatch(reason);
  });
});
