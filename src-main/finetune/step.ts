import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { sizeOf } from '../graph/shapes.ts';
import type { NamedTensors, StepFunction, TensorSpec } from '../graph/types.ts';
import { colorMapLength, writeColorMap } from '../lib/color-map.ts';
import { defined } from '../lib/errors.ts';
import { writeCropMatrix } from '../lib/resample.ts';
import type { SegmentationConfig } from '../nn/config.ts';
import { guardedUpdate, lossScale } from '../nn/loss-scale.ts';
import { gradientsOf } from '../nn/objective.ts';
import {
  applyColorMap,
  normalize,
  resample,
  shiftHue,
  toPlanes,
  transposeWhere,
} from '../nn/image-ops.ts';
import { optimizerScalarsSpec, optimizerUpdate } from '../nn/optimizers.ts';
import { nextStatistics, type BatchStatistics } from '../nn/running-statistics.ts';
import { segmentationLogits } from '../nn/segmentation.ts';
import { rank4 } from '../nn/tensors.ts';
import { type FinetuneConfig, optimizerSettings } from './config.ts';
import { segmentationLoss } from './losses.ts';
import { type CropAxis, type CropPlan, cropMask, type LabelledTiles } from './sampler.ts';

/** Tiles with their pixels. */
export interface TrainingTiles extends LabelledTiles {
  /** RGB of the given tiles, [n, tileSizePx, tileSizePx, 3]. */
  readImages(indices: readonly number[], target: Uint8Array): void;
}

/** Colour operations of a crop in the order they act; the hue turn comes last. */
const colorOperations = ['brightness', 'contrast', 'saturation'] as const;

type BatchSize = Pick<FinetuneConfig, 'batch' | 'cropPx' | 'tilePx'>;

/**
 * The inputs of a training step. `images` are whole tiles; the crop, mirroring and zoom are the
 * matrices `rows` and `columns`, so that they run inside the compiled step.
 */
export function finetuneBatchSpecs({ batch, cropPx, tilePx }: BatchSize) {
  const float = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
  const bytes = (...shape: number[]): TensorSpec => ({ shape, dtype: 'uint8' });
  return {
    images: bytes(batch, tilePx, tilePx, 3),
    masks: bytes(batch, cropPx, cropPx),
    rows: float(batch, cropPx, tilePx),
    columns: float(batch, cropPx, tilePx),
    turned: float(batch),
    color: float(colorOperations.length, batch, 3, 4),
    hue: float(batch),
    optimizer: optimizerScalarsSpec,
    pretrainedOptimizer: optimizerScalarsSpec,
  };
}

/** The arrays of one batch, reused for every step. */
export function createBatch(size: BatchSize) {
  const specs = finetuneBatchSpecs(size);
  const length = ({ shape }: TensorSpec): number => sizeOf(shape);
  return {
    images: new Uint8Array(length(specs.images)),
    masks: new Uint8Array(length(specs.masks)),
    rows: new Float32Array(length(specs.rows)),
    columns: new Float32Array(length(specs.columns)),
    turned: new Float32Array(length(specs.turned)),
    color: new Float32Array(length(specs.color)),
    hue: new Float32Array(length(specs.hue)),
  };
}

export type FinetuneBatch = ReturnType<typeof createBatch>;

/** Reads the tiles of the planned crops and writes their inputs to `target`. */
export function fillBatch(
  tiles: TrainingTiles,
  crops: readonly CropPlan[],
  target: FinetuneBatch,
): void {
  const tilePx = tiles.tileSizePx;
  const cropPx = target.rows.length / crops.length / tilePx;
  tiles.readImages(
    crops.map((crop) => crop.tile),
    target.images,
  );
  const mask = new Uint8Array(tilePx ** 2);
  crops.forEach((crop, i) => {
    tiles.readMasks([crop.tile], mask);
    cropMask(mask, crop, target.masks, { offset: i * cropPx ** 2, cropPx });
    writeAxisMatrix(target.rows, i, crop.rows, { cropPx, tilePx });
    writeAxisMatrix(target.columns, i, crop.columns, { cropPx, tilePx });
    target.turned[i] = crop.transposed ? 1 : 0;
    target.hue[i] = crop.hue;
    colorOperations.forEach((operation, stage) => {
      const offset = (stage * crops.length + i) * colorMapLength;
      writeColorMap(target.color, offset, operation, crop[operation]);
    });
  });
}

/** Crop matrix of one axis of one image; rows outside the picture mirror those inside. */
function writeAxisMatrix(
  target: Float32Array,
  index: number,
  axis: CropAxis,
  { cropPx, tilePx }: { readonly cropPx: number; readonly tilePx: number },
): void {
  const start = index * cropPx * tilePx;
  const { first, count } = axis;
  writeCropMatrix(target, start + first * tilePx, {
    outputSize: count,
    inputSize: tilePx,
    start: axis.start,
    length: axis.length,
    mirrored: axis.mirrored,
    filter: 'bilinear',
  });
  for (let i = 0; i < cropPx; i++) {
    if (i >= first && i < first + count) continue;
    const from = start + (first + reflected(i - first, count)) * tilePx;
    target.copyWithin(start + i * tilePx, from, from + tilePx);
  }
}

/** Reflects an index at the ends of 0..length-1, as often as needed. */
function reflected(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * length - 2;
  const folded = ((index % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/** Crops, turned, coloured and normalised: [batch, cropPx, cropPx, 3]. */
export function augmentCrops(batch: NamedTensors, quarterTurns: boolean): Tensor {
  const input = (name: string): Tensor => defined(batch[name], name);
  const cropped = resample(toPlanes(input('images')), input('rows'), input('columns'));
  const planes = quarterTurns ? transposeWhere(cropped, input('turned')) : cropped;
  const [images = 0, , side = 0] = planes.shape;
  let pixels: Tensor = tf.reshape(planes, [images, 3, side * side]);
  for (const map of tf.split(input('color'), colorOperations.length, 0)) {
    pixels = applyColorMap(pixels, tf.squeeze(map, [0]));
  }
  const toned = normalize(shiftHue(pixels, input('hue')));
  return tf.transpose(tf.reshape(toned, [images, 3, side, side]), [0, 2, 3, 1]);
}

/** Which parameters a run trains, and which of those came from pre-training. */
export interface TrainedNames {
  readonly trainable: readonly string[];
  readonly pretrained: ReadonlySet<string>;
}

/**
 * One training step: augmentation, forward, loss, backward, update. State: the network's parameters
 * and running statistics under their names, `optimizer.*` buffers, and in half precision the scale of
 * the loss (`initLossScale`). Pre-trained parameters follow
 * the rate in `pretrainedOptimizer`, the others that in `optimizer`. Outputs: `loss`,
 * `crossEntropy`, `dice`, scalars of the network before the update.
 */
export function buildFinetuneStep(
  config: FinetuneConfig,
  network: SegmentationConfig,
  names: TrainedNames,
): StepFunction {
  const { weightDecay } = optimizerSettings(config);
  const isHalf = config.precision === 'half';
  const groups = [
    { input: 'optimizer', names: names.trainable.filter((name) => !names.pretrained.has(name)) },
    {
      input: 'pretrainedOptimizer',
      names: names.trainable.filter((name) => names.pretrained.has(name)),
    },
  ];
  return (state, batch) => {
    const images = rank4(augmentCrops(batch, config.augmentation.quarterTurns));
    const { grads, side } = gradientsOf(pick(state, names.trainable), () => {
      const statistics: BatchStatistics[] = [];
      const mode = { training: true, statistics, isHalf };
      const logits = segmentationLogits(network, state, images, mode);
      const { total, crossEntropy, dice } = segmentationLoss(
        logits,
        defined(batch['masks'], 'masks'),
        config.diceWeight,
      );
      const losses = { loss: total, crossEntropy, dice };
      const side = { ...losses, ...nextStatistics(state, statistics) };
      return { loss: total, side, scale: isHalf ? lossScale(state) : undefined };
    });
    const { loss, crossEntropy, dice, ...statistics } = side;
    const updated = groups.map((group) =>
      optimizerUpdate(config.optimizer, pick(state, group.names), grads, state, {
        weightDecay,
        momentum: config.momentum,
        scalars: defined(batch[group.input], group.input),
      }),
    );
    const update = Object.fromEntries(
      updated.flatMap(({ params, buffers }) => [
        ...Object.entries(params),
        ...Object.entries(buffers),
      ]),
    );
    const next = isHalf ? guardedUpdate(state, grads, update) : update;
    return {
      state: { ...state, ...statistics, ...next },
      outputs: {
        loss: defined(loss, 'loss'),
        crossEntropy: defined(crossEntropy, 'cross-entropy'),
        dice: defined(dice, 'dice'),
      },
    };
  };
}

function pick(tensors: NamedTensors, names: readonly string[]): NamedTensors {
  return Object.fromEntries(names.map((name) => [name, defined(tensors[name], name)]));
}
