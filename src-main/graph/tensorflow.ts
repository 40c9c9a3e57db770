import { createRequire } from 'node:module';
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

/** The package calls two functions of node:util that Node 24 no longer has. */
function restoreNodeUtilities(): void {
  const util: unknown = createRequire(import.meta.url)('node:util');
  if (typeof util !== 'object' || util === null) return;
  const isNullOrUndefined = (value: unknown) => value === undefined || value === null;
  Object.assign(util, { isNullOrUndefined, isArray: Array.isArray, ...util });
}

function reasonOf(message: string): string {
  if (message.includes('Cannot find package')) {
    return 'The TensorFlow package is not installed. Run "decon device install tensorflow" to fetch it.';
  }
  const isLibrary = /tfjs_binding|native binding|\.node/i.test(message);
  return isLibrary
    ? 'TensorFlow\'s native library is not installed. Run "decon device install tensorflow" to fetch it.'
    : `TensorFlow did not load: ${message}`;
}
