import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, homedir, release } from 'node:os';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { writeFileAtomic } from '../lib/files.ts';
import { deviceReportSchema, type DeviceReport } from './device-report.ts';

const fileName = 'devices.json';
/** Raised when the trial changes, so that old results are not compared with new ones. */
const cacheVersion = 1;

const cacheSchema = v.strictObject({ key: v.string(), reports: v.array(deviceReportSchema) });

/** The reports of an earlier trial, unless the machine changed since in a way that may matter. */
export function readDeviceCache(folder = userCacheFolder()): readonly DeviceReport[] | undefined {
  try {
    const text: unknown = JSON.parse(readFileSync(join(folder, fileName), 'utf8'));
    const { key, reports } = v.parse(cacheSchema, text);
    return key === machineKey() ? reports : undefined;
  } catch {
    // Absent or damaged: the devices are tried again.
    return undefined;
  }
}

/** Keeps reports for this machine; a folder that cannot be written only costs the next trial. */
export function writeDeviceCache(reports: readonly DeviceReport[], folder = userCacheFolder()) {
  try {
    mkdirSync(folder, { recursive: true });
    const text = JSON.stringify({ key: machineKey(), reports }, null, 2);
    writeFileAtomic(join(folder, fileName), [new TextEncoder().encode(text)]);
  } catch {
    return;
  }
}

/** Changes with processor, system, driver, driver settings, onnxruntime and installed providers. */
export function machineKey(): string {
  const settings = [
    'VK_ICD_FILENAMES',
    'VK_DRIVER_FILES',
    'LD_LIBRARY_PATH',
    'CUDA_VISIBLE_DEVICES',
  ];
  const list = cpus();
  const facts = [
    cacheVersion,
    process.platform,
    process.arch,
    release(),
    list[0]?.model,
    list.length,
    textOf('/proc/driver/nvidia/version'),
    ...settings.map((name) => process.env[name]),
    ...packageFacts('onnxruntime-node', 'bin/napi-v6'),
    ...packageFacts('@tensorflow/tfjs-node-gpu', 'lib'),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

/** Version of a package and the names of its native files. */
function packageFacts(name: string, binaries: string): unknown[] {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return [textOf(manifest), filesUnder(join(dirname(manifest), binaries))];
  } catch {
    return [];
  }
}

function filesUnder(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The folder of this user's caches, by the habits of each system; `DECON_CACHE_DIR` overrides it. */
export function userCacheFolder(): string {
  const chosen = process.env['DECON_CACHE_DIR'];
  if (chosen !== undefined) return chosen;
  const home = homedir();
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', 'DeCon Studio');
  if (process.platform === 'win32') {
    return join(process.env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'DeCon Studio');
  }
  return join(process.env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'decon-studio');
}
