import { availableParallelism } from 'node:os';
import { readDeviceCache } from '../graph/device-cache.ts';
import { deviceTitle, fastest } from '../graph/devices.ts';
import type { PaceStore } from '../pretrain/pace-store.ts';

/** Where trainings will compute, as far as is known without trying anything. */
export interface TrainingDevice {
  /** A device's name. */
  readonly id: string;
  readonly name: string;
  /** The chip and why it was chosen; empty while no device was tried. */
  readonly detail: string;
  readonly hasGpu: boolean;
  /** Free memory of the machine, or what a graphics card has if that is less. */
  readonly memoryBytes: number;
  /** 10^9 operations a second in trainings: measured in one, or guessed. */
  readonly gigaflops: number;
}

/** What trainings reach of the speed that the trial of a device measures. */
const usualEfficiency = 0.6;
/** Of one core in a training, measured on an EPYC with AVX2; older ones have half. */
const coreGigaflops = 40;

/** The device that `auto` will take, by the kept trials of this machine. */
export function trainingDevice(store: PaceStore): TrainingDevice {
  const reports = readDeviceCache();
  const free = process.availableMemory();
  const cores = availableParallelism() * coreGigaflops;
  if (reports === undefined) {
    const gigaflops = store.gigaflops('cpu') ?? cores;
    return { id: 'cpu', name: 'CPU', detail: '', hasGpu: false, memoryBytes: free, gigaflops };
  }
  const { name: id, message } = fastest(reports);
  const report = reports.find(({ name }) => name === id);
  const known = report?.type === 'works' ? report : undefined;
  const hasGpu = id !== 'cpu';
  const guess = hasGpu && known !== undefined ? usualEfficiency * known.gigaflops : cores;
  return {
    id,
    name: deviceTitle(id),
    detail: known === undefined ? message : `${known.hardware}. ${message}`,
    hasGpu,
    memoryBytes: hasGpu ? Math.min(free, known?.memoryBytes ?? free) : free,
    gigaflops: store.gigaflops(id) ?? guess,
  };
}
