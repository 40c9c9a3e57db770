import { createRequire } from 'node:module';
import { engine } from '@tensorflow/tfjs-core';
import { AppError, messageOf } from '../lib/errors.ts';

const PACKAGE = '@tensorflow/tfjs-node-gpu';

/**
 * Loads the optional TensorFlow executor and registers its tfjs backend `tensorflow`.
 * @throws AppError `device.unavailable` with the reason in words
 */
export async function loadTensorflow(): Promise<void> {
  restoreNodeUtilities();
  try {
    await import(PACKAGE);
  } catch (cause) {
    throw new AppError('device.unavailable', reasonOf(messageOf(cause)), { cause });
  }
}

/** Whether TensorFlow found a GPU; without one it computes on the CPU. Call after loading. */
export function tensorflowUsesGpu(): boolean {
  const backend: object = engine().backend;
  return 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true;
}

/**
 * The package calls two old functions of node:util: `isNullOrUndefined`, which Node 23 removed, and
 * `isArray`, which warns. Both are looked up on the module object at each call.
 */
function restoreNodeUtilities(): void {
  const util: unknown = createRequire(import.meta.url)('node:util');
  const isNullOrUndefined = (value: unknown) => value === undefined || value === null;
  if (typeof util === 'object' && util !== null) {
    Object.assign(util, { isNullOrUndefined, isArray: Array.isArray });
  }
}

/** Why TensorFlow did not load, in words, from the error of its package. */
export function reasonOf(message: string): string {
  if (message.includes('Cannot find package')) {
    return `The optional package ${PACKAGE} is not installed. Run "npm install --include=optional" in the program's folder.`;
  }
  return /tfjs_binding|native addon/i.test(message)
    ? 'TensorFlow\'s native library is not installed. Run "decon device install tensorflow" to fetch it.'
    : `TensorFlow did not load: ${message}`;
}
