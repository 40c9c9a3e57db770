import { AppError } from '../lib/errors.ts';
import { readDeviceCache, writeDeviceCache } from './device-cache.ts';
import { runProbe } from './device-process.ts';
import {
  DEVICE_NAMES,
  type DeviceName,
  type DeviceReport,
  type WorkingDevice,
} from './device-report.ts';
import { CPU, type Device } from './types.ts';

export interface DeviceChoice {
  readonly name: DeviceName;
  readonly device: Device;
  /** A sentence for the user: what was chosen and why. */
  readonly message: string;
  /** Whether something else was asked for but failed. */
  readonly isFallback: boolean;
}

export interface DeviceListOptions {
  readonly signal?: AbortSignal;
  /** Called before each device is tried, because that can take seconds. */
  readonly onTry?: (name: DeviceName) => void;
  /** Where results are kept; the user's cache folder when absent. */
  readonly cacheFolder?: string;
}

/** The name of a device in a sentence. */
export function deviceTitle(name: DeviceName): string {
  return DEVICES[name].title;
}

/** The executor and provider behind a name. */
export function deviceNamed(name: DeviceName): Device {
  return DEVICES[name].device;
}

/**
 * Tries every executor and provider with a real forward and backward convolution, each in a process
 * of its own so that a crashing driver ends nothing else, and keeps the results for this machine.
 * @returns one report a device, in the order of DEVICE_NAMES
 * @throws CancelledError
 */
export async function listDevices(
  options: DeviceListOptions = {},
): Promise<readonly DeviceReport[]> {
  const reports: DeviceReport[] = [];
  for (const name of DEVICE_NAMES) {
    options.onTry?.(name);
    reports.push(await tryDevice(name, options.signal));
  }
  writeDeviceCache(reports, options.cacheFolder);
  return reports;
}

/**
 * The device to train on. `auto` takes the fastest one that passes its trial; a named one that does
 * not pass is replaced by the CPU, and `message` says so. The CPU is taken at its word, untried.
 * @throws AppError `device.unknown`, CancelledError
 */
export async function chooseDevice(
  wanted: string,
  options: DeviceListOptions = {},
): Promise<DeviceChoice> {
  if (wanted === 'auto') return fastestNow(options);
  const name = DEVICE_NAMES.find((known) => known === wanted);
  if (name === undefined) {
    throw new AppError(
      'device.unknown',
      `There is no device "${wanted}". Choose auto, ${DEVICE_NAMES.join(', ')}.`,
    );
  }
  if (name === 'cpu') return choice('cpu', 'Using the CPU.');
  options.onTry?.(name);
  const report = await tryDevice(name, options.signal);
  return report.type === 'works'
    ? choice(name, `Using ${deviceTitle(name)} (${speedText(report)}).`)
    : {
        ...choice('cpu', `${deviceTitle(name)} cannot be used. ${report.reason} Using the CPU.`),
        isFallback: true,
      };
}

/**
 * The fastest device by the kept reports of this machine, tried once more because drivers can change
 * unseen; where there are none or it fails, every device is tried again.
 */
async function fastestNow(options: DeviceListOptions): Promise<DeviceChoice> {
  const known = readDeviceCache(options.cacheFolder);
  const best = known === undefined ? undefined : fastest(known);
  if (best?.name === 'cpu') return best;
  if (best !== undefined) {
    options.onTry?.(best.name);
    if ((await tryDevice(best.name, options.signal)).type === 'works') return best;
  }
  return fastest(await listDevices(options));
}

/** The choice that `auto` makes among reports. */
export function fastest(reports: readonly DeviceReport[]): DeviceChoice {
  const working = reports
    .filter((report) => report.type === 'works')
    .sort((a, b) => b.gigaflops - a.gigaflops);
  const [best, ...others] = working;
  if (best === undefined) return choice('cpu', 'Using the CPU: no device passed its trial.');
  const rest = others.map((other) => `${deviceTitle(other.name)} ${speedText(other)}`);
  const comparison =
    rest.length === 0 ? 'the only device that works' : `faster than ${rest.join(', ')}`;
  return choice(best.name, `Using ${deviceTitle(best.name)} (${speedText(best)}), ${comparison}.`);
}

function choice(name: DeviceName, message: string): DeviceChoice {
  return { name, device: deviceNamed(name), message, isFallback: false };
}

function speedText({ gigaflops }: WorkingDevice): string {
  return `${gigaflops < 10 ? gigaflops.toFixed(1) : Math.round(gigaflops)} GFLOP/s`;
}

async function tryDevice(name: DeviceName, signal?: AbortSignal): Promise<DeviceReport> {
  const { elsewhere } = DEVICES[name];
  return elsewhere === undefined || elsewhere.systems.includes(process.platform)
    ? runProbe(name, signal)
    : { type: 'unavailable', name, reason: elsewhere.reason };
}

interface DeviceEntry {
  readonly title: string;
  readonly device: Device;
  /** The only systems that have it (`process.platform`) and the reason given on others. */
  readonly elsewhere?: { readonly systems: readonly string[]; readonly reason: string };
}

const DEVICES: Readonly<Record<DeviceName, DeviceEntry>> = {
  cpu: { title: 'CPU', device: CPU },
  webgpu: { title: 'WebGPU', device: { executor: 'onnxruntime', provider: 'webgpu' } },
  cuda: {
    title: 'CUDA',
    device: { executor: 'onnxruntime', provider: 'cuda' },
    elsewhere: {
      systems: ['linux'],
      reason: 'onnxruntime brings CUDA for Linux only; WebGPU uses the same graphics card.',
    },
  },
  directml: {
    title: 'DirectML',
    device: { executor: 'onnxruntime', provider: 'dml' },
    elsewhere: { systems: ['win32'], reason: 'DirectML exists on Windows only.' },
  },
  coreml: {
    title: 'CoreML',
    device: { executor: 'onnxruntime', provider: 'coreml' },
    elsewhere: { systems: ['darwin'], reason: 'CoreML exists on macOS only.' },
  },
  tensorflow: { title: 'TensorFlow', device: { executor: 'tensorflow', provider: 'cuda' } },
};
