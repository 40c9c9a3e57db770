import { readFileSync } from 'node:fs';
import { readOnnxMetadata } from '../graph/onnx-metadata.ts';
import { AppError } from '../lib/errors.ts';
import { parseDescription, type ModelDescription } from './model-description.ts';

/**
 * Reads a model file without loading what runs it.
 * @throws AppError `model.missing`, `model.foreign`, `model.newer-version`, `model.damaged`
 */
export function readModel(path: string): {
  readonly bytes: Uint8Array;
  readonly description: ModelDescription;
} {
  const bytes = readModelBytes(path);
  return { bytes, description: parseDescription(readOnnxMetadata(bytes), path) };
}

/** Reads only what a model file says about itself. */
export function readModelDescription(path: string): ModelDescription {
  return readModel(path).description;
}

function readModelBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AppError('model.missing', `The model ${path} cannot be read. Check the path.`, {
      cause,
    });
  }
}
