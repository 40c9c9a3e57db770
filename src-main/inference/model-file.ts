import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { compileFunction } from '../graph/compile.ts';
import { exportOnnx } from '../graph/export.ts';
import { hostTensor, openSession, sessionTensor } from '../graph/session.ts';
import { CPU, type Device, type HostTensors, type TensorSpec } from '../graph/types.ts';
import { AppError } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { Random } from '../lib/random.ts';
import { describeModel, type ModelDescription } from './model-description.ts';
import { readModel } from './model-reader.ts';
import {
  imageInput,
  probabilitiesOf,
  probabilitiesOutput,
  segmentationFunction,
} from './segmentation.ts';
import type { TilePredictor } from './tiles.ts';

/** A model file that is ready to predict. Whoever loaded it disposes it. */
export interface LoadedModel {
  readonly description: ModelDescription;
  readonly predictor: TilePredictor;
  dispose(): Promise<void>;
}

export interface WrittenModel {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Largest difference of a probability between the file and the training graph. */
  readonly maxDifference: number;
}

/** Largest difference a written model may show. */
export const modelTolerance = 1e-4;

/**
 * Writes a segmentation network as one ONNX file (weights, normalization, classes, provenance),
 * reads it back, runs it and compares it with the training graph on random tiles. The input is one
 * tile, `[1, tileSizePx, tileSizePx, 3]` uint8; larger pictures are cut into tiles by the caller.
 * @throws AppError `model.mismatch` when the file disagrees; it is removed then
 */
export async function writeModelFile(
  path: string,
  params: HostTensors,
  description: ModelDescription,
): Promise<WrittenModel> {
  const inputs = { [imageInput]: imageSpec(description) };
  const bytes = exportOnnx(segmentationFunction(description.network), {
    params,
    inputs,
    metadata: describeModel(description),
    label: description.name,
  });
  writeFileAtomic(path, [bytes]);
  const maxDifference = await compareWithTraining(path, params);
  if (!(maxDifference <= modelTolerance)) {
    rmSync(path);
    throw new AppError(
      'model.mismatch',
      `The exported model gave other results than the trained network (difference ${maxDifference.toExponential(1)}), so it was not kept. Please report this.`,
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, bytes: bytes.length, sha256, maxDifference };
}

/**
 * Opens a model file written by this or an older version.
 * @throws AppError `model.missing`, `model.foreign`, `model.newer-version`, `model.damaged`,
 *   `device.unavailable`
 */
export async function loadModelFile(path: string, device: Device = CPU): Promise<LoadedModel> {
  const { bytes, description } = readModel(path);
  const session = await openSession(bytes, device);
  const spec = imageSpec(description);
  return {
    description,
    predictor: {
      tileSizePx: description.tileSizePx,
      classCount: description.classes.length,
      batchSize: 1,
      predict: async (tiles) => {
        const results = await session.run({ [imageInput]: sessionTensor(spec, tiles) });
        const output = results[probabilitiesOutput];
        return probabilitiesOf(
          output === undefined ? {} : { [probabilitiesOutput]: hostTensor(output) },
        );
      },
    },
    dispose: () => session.release(),
  };
}

async function compareWithTraining(path: string, params: HostTensors): Promise<number> {
  const model = await loadModelFile(path);
  try {
    const training = await compileFunction(segmentationFunction(model.description.network), {
      params,
      inputs: { [imageInput]: imageSpec(model.description) },
      device: CPU,
      label: 'model check',
    });
    try {
      const tile = randomTile(model.description.tileSizePx);
      const expected = probabilitiesOf(await training.run(params, { [imageInput]: tile }));
      return largestDifference(await model.predictor.predict(tile), expected);
    } finally {
      await training.dispose();
    }
  } finally {
    await model.dispose();
  }
}

/** Smooth blobs of color with noise, so that neither flat nor noisy regions are missing. */
function randomTile(sizePx: number): Uint8Array {
  const random = new Random(1);
  const phases = Array.from({ length: 6 }, () => random.uniform(0, 2 * Math.PI));
  return Uint8Array.from({ length: sizePx * sizePx * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % sizePx, Math.floor(i / 3 / sizePx), i % 3];
    const wave = Math.sin(x / 9 + (phases[c] ?? 0)) * Math.cos(y / 13 + (phases[c + 3] ?? 0));
    return Math.min(255, Math.max(0, 128 + 100 * wave + 12 * random.normal()));
  });
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

function imageSpec({ tileSizePx }: ModelDescription): TensorSpec {
  return { shape: [1, tileSizePx, tileSizePx, 3], dtype: 'uint8' };
}
