import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { compileFunction, type OnFallback, type Precision } from '../graph/compile.ts';
import type { TensorSpecs } from '../graph/trace.ts';
import type { Device, HostTensors, PureFunction } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import type { SegmentationConfig } from '../nn/config.ts';
import { imagenetMean, imagenetStd } from '../nn/image-ops.ts';
import { INFERENCE } from '../nn/mode.ts';
import { segmentationLogits } from '../nn/segmentation.ts';
import { rank4 } from '../nn/tensors.ts';
import type { TilePredictor } from './tiles.ts';

/** Names of the input and output of a segmentation function and of a model file. */
export const imageInput = 'image';
export const probabilitiesOutput = 'probabilities';

/**
 * A segmentation network in inference mode: `image` `[batch, height, width, 3]`, RGB 0..255, to
 * `probabilities` `[batch, height, width, classes]` that sum to 1. Normalization is inside.
 */
export function segmentationFunction(config: SegmentationConfig): PureFunction {
  return (params, inputs) => {
    const image = normalizedPixels(defined(inputs[imageInput], imageInput));
    const logits = segmentationLogits(config, params, image, INFERENCE);
    return { [probabilitiesOutput]: tf.softmax(logits) };
  };
}

/** (x / 255 - mean) / std with the ImageNet constants; `[batch, height, width, 3]`, x 0..255. */
export function normalizedPixels(pixels: Tensor): Tensor4D {
  const shifted = tf.sub(pixels, tf.tensor1d(imagenetMean.map((mean) => 255 * mean)));
  return rank4(tf.div(shifted, tf.tensor1d(imagenetStd.map((std) => 255 * std))));
}

export interface PredictorOptions {
  readonly tileSizePx: number;
  readonly batchSize: number;
  readonly device: Device;
  /** Of the network's products; `single` when absent, and for all scores that are compared. */
  readonly precision?: Precision;
  /** With it, a device that refuses the network is replaced by the CPU and the sentence says so. */
  readonly onFallback?: OnFallback;
}

/** A compiled segmentation network whose weights may change, e.g. while it is being trained. */
export interface SegmentationPredictor {
  /** The network with these weights; cheap, nothing is compiled. */
  withParams(params: HostTensors): TilePredictor;
  dispose(): Promise<void>;
}

/** Compiles a segmentation network for tiles; `params` gives names and shapes. */
export async function compilePredictor(
  config: SegmentationConfig,
  params: TensorSpecs,
  { tileSizePx, batchSize, ...where }: PredictorOptions,
): Promise<SegmentationPredictor> {
  const compiled = await compileFunction(segmentationFunction(config), {
    params,
    inputs: { [imageInput]: { shape: [batchSize, tileSizePx, tileSizePx, 3], dtype: 'uint8' } },
    ...where,
    label: 'segmentation',
  });
  return {
    withParams: (values) => ({
      tileSizePx,
      batchSize,
      classCount: config.classes,
      predict: async (tiles) => {
        const outputs = await compiled.run(values, { [imageInput]: tiles });
        return probabilitiesOf(outputs);
      },
    }),
    dispose: () => compiled.dispose(),
  };
}

/** The output of a segmentation function as floats. */
export function probabilitiesOf(outputs: HostTensors): Float32Array {
  const data = outputs[probabilitiesOutput]?.data;
  if (data instanceof Float32Array) return data;
  throw new Error('The network returned no probabilities');
}
