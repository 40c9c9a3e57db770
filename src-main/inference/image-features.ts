import * as tf from '@tensorflow/tfjs-core';
import * as v from 'valibot';
import type { ImageReader } from '../datasets/decode.ts';
import { compileFunction } from '../graph/compile.ts';
import type { Device, HostTensors } from '../graph/types.ts';
import { AppError, defined } from '../lib/errors.ts';
import { encoderShape, NETWORK_ENTRIES } from '../nn/config.ts';
import { INFERENCE } from '../nn/mode.ts';
import { teacherWeights } from '../nn/names.ts';
import { applyEncoder } from '../nn/resnet.ts';
import { readSafetensors } from '../nn/safetensors.ts';
import { withPrefix } from '../nn/tensors.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { imageInput, normalizedPixels } from './segmentation.ts';

/** Side that every picture is squeezed to: enough to tell what kind of picture it is. */
const sidePx = 224;

/** What an encoder sees in a whole picture. Whoever opened it disposes it. */
export interface FeatureReader {
  /** The mean of the last encoder map over the picture, of length 1. */
  read(picture: ImageReader): Promise<Float32Array>;
  dispose(): Promise<void>;
}

const configSchema = v.object({ encoder: NETWORK_ENTRIES.encoder });

/** The file of a run's weights; undefined before its first checkpoint. */
export function weightsFile(project: Project, runId: string): string | undefined {
  const { checkpoints } = project;
  const row = checkpoints.get(runId, 'final') ?? checkpoints.get(runId, 'latest');
  return row === undefined ? undefined : project.path(row.file);
}

/**
 * Opens the encoder of a run (of a pre-training, its teacher).
 * @throws AppError `runs.no-weights`
 */
export async function openFeatures(
  project: Project,
  run: RunRow,
  device: Device,
): Promise<FeatureReader> {
  const file = weightsFile(project, run.id);
  if (file === undefined) {
    throw new AppError(
      'runs.no-weights',
      `The run "${run.name}" has no weights yet. Let it train until its first checkpoint.`,
    );
  }
  const { tensors } = readSafetensors(file);
  const teacher = teacherWeights(tensors);
  const params = encoderOf(Object.keys(teacher).length > 0 ? teacher : tensors);
  const shape = encoderShape(v.parse(configSchema, run.config).encoder);
  const network = await compileFunction(
    (weights, inputs) => {
      const image = normalizedPixels(defined(inputs[imageInput], imageInput));
      const { c5 } = applyEncoder(shape, weights, 'encoder', image, INFERENCE);
      return { features: tf.mean(c5, [1, 2]) }; // [1, channels]
    },
    {
      params,
      inputs: { [imageInput]: { shape: [1, sidePx, sidePx, 3], dtype: 'uint8' } },
      device,
      label: 'image features',
    },
  );
  return {
    read: async (picture) => {
      const window = { widthPx: sidePx, heightPx: sidePx, topPx: 0, rows: sidePx };
      const pixels = await picture.readScaledRows(window);
      const { features } = await network.run(params, { [imageInput]: pixels });
      return unitLength(defined(features, 'image features').data);
    },
    dispose: () => network.dispose(),
  };
}

function encoderOf(tensors: HostTensors): HostTensors {
  return withPrefix(tensors, 'encoder.');
}

function unitLength(values: ArrayLike<number>): Float32Array {
  const features = Float32Array.from(values);
  const length = Math.hypot(...features);
  return length > 0 ? features.map((value) => value / length) : features;
}
