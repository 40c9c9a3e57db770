import type { DeviceName } from './device-report.ts';

/**
 * Why a device cannot be used, as a sentence.
 * @param message the error of the trial, if it answered
 * @param printed what its process printed
 * @param ending how the process ended, used when it did not answer
 */
export function unavailableReason(
  name: DeviceName,
  message: string | undefined,
  printed: string,
  ending: string,
): string {
  const text = `${message ?? ''}\n${printed}`;
  const known = KNOWN.find((entry) => entry.names.includes(name) && entry.sign.test(text));
  if (known !== undefined) return known.reason(known.sign.exec(text)?.[1] ?? '');
  return message ?? ending;
}

interface KnownReason {
  readonly names: readonly DeviceName[];
  readonly sign: RegExp;
  readonly reason: (found: string) => string;
}

const KNOWN: readonly KnownReason[] = [
  {
    names: ['webgpu'],
    sign: /libvulkan[\w.]*: cannot open/,
    reason: () => 'No Vulkan was found: install the package libvulkan1 and your graphics driver.',
  },
  {
    names: ['webgpu'],
    sign: /Failed to get a WebGPU adapter/,
    reason: () =>
      'No graphics card with a working driver was found. Install or update its driver (on Linux, one with Vulkan).',
  },
  {
    names: ['cuda'],
    sign: /libonnxruntime_providers_(?:shared|cuda)\.so: cannot open/,
    reason: () =>
      'The CUDA files are not installed. Run "decon device install cuda" if this computer has an NVIDIA card.',
  },
  {
    names: ['cuda', 'tensorflow'],
    sign: /(lib(?:cu|nv)[\w.]+): cannot open shared object/,
    reason: (library) =>
      `NVIDIA's library ${library} was not found. Install the NVIDIA driver, CUDA and cuDNN that it belongs to.`,
  },
  {
    names: ['cuda', 'tensorflow'],
    sign: /no CUDA-capable device|CUDA driver version is insufficient|CUDA failure/,
    reason: () => 'No NVIDIA card with a recent enough driver was found.',
  },
];
