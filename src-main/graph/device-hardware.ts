import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DeviceName, WorkingDevice } from './device-report.ts';

type Hardware = Pick<WorkingDevice, 'hardware' | 'memoryBytes'>;

/** The chip behind a device and its memory, as far as the system tells. */
export async function hardwareOf(name: DeviceName, usesGpu: boolean): Promise<Hardware> {
  if (name === 'cpu') return processor();
  if (name === 'tensorflow' && !usesGpu) {
    const { memoryBytes } = processor();
    return { hardware: 'CPU only: CUDA 11.2 was not found', ...knownMemory(memoryBytes) };
  }
  if (name === 'cuda' || name === 'tensorflow') return (await nvidiaCard()) ?? unknownCard;
  // WebGPU, DirectML and CoreML do not tell which card they took.
  if (process.platform === 'darwin') return { ...unknownCard, memoryBytes: totalmem() };
  return { ...unknownCard, ...knownMemory(linuxCardMemory()) };
}

function processor(): Hardware {
  const list = cpus();
  const model = list[0]?.model.trim() ?? 'processor';
  return { hardware: `${model}, ${list.length} threads`, memoryBytes: process.availableMemory() };
}

async function nvidiaCard(): Promise<Hardware | undefined> {
  try {
    const query = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 });
    const [card = '', megabytes] = (stdout.split('\n')[0] ?? '').split(', ');
    return { hardware: card, ...knownMemory(Number(megabytes) * 2 ** 20) };
  } catch {
    return undefined;
  }
}

/** The largest video memory that a Linux kernel driver reports (amdgpu does). */
function linuxCardMemory(): number | undefined {
  const root = '/sys/class/drm';
  try {
    const sizes = readdirSync(root).flatMap((card) => {
      try {
        return [Number(readFileSync(join(root, card, 'device/mem_info_vram_total'), 'utf8'))];
      } catch {
        return [];
      }
    });
    return sizes.length > 0 ? Math.max(...sizes) : undefined;
  } catch {
    return undefined;
  }
}

function knownMemory(bytes: number | undefined): { readonly memoryBytes?: number } {
  return bytes === undefined || Number.isNaN(bytes) ? {} : { memoryBytes: bytes };
}

const unknownCard: Hardware = { hardware: 'graphics card' };
