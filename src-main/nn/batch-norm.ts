import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { withGradient } from './custom-gradient.ts';
import type { Mode } from './mode.ts';
import { standardized, type Standardized } from './standardize.ts';
import { matrix, parameter, rank1, rank2, rank4 } from './tensors.ts';

/** PyTorch's default, used everywhere by the reference. */
export const BATCH_NORM_EPSILON = 1e-5;

/** Batch norm over all axes but the last of feature maps `[batch, height, width, channels]`. */
export function batchNorm(x: Tensor4D, params: NamedTensors, prefix: string, mode: Mode): Tensor4D {
  const gain = rank1(parameter(params, `${prefix}.weight`));
  const shift = rank1(parameter(params, `${prefix}.bias`));
  if (!mode.training) {
    const mean = rank1(parameter(params, `${prefix}.running_mean`));
    const variance = rank1(parameter(params, `${prefix}.running_var`));
    return tf.batchNorm(x, mean, variance, shift, gain, BATCH_NORM_EPSILON);
  }
  const { batches = 1 } = mode;
  const means = (map: Tensor): Tensor => meansOfBatches(map, batches); // [batches, 1, 1, channels]
  const spread = (numbers: Tensor): Tensor => overImages(numbers, x.shape[0]);
  const count = x.size / (x.shape[3] || 1) / batches;
  const mean = means(x);
  const centered = tf.sub(x, spread(mean));
  const variance = means(tf.square(centered));
  mode.statistics?.push({ prefix, batches, mean, variance, count });
  const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
  const result = withGradient(
    [x, gain, shift],
    () => ({
      // From the centered values, so that it can be made again of what is kept for the gradient.
      value: tf.add(tf.mul(centered, spread(tf.mul(inverse, gain))), shift),
      saved: [centered, inverse, gain] as const,
    }),
    (dy, [xCentered, r, g]) => {
      // dx = g r (dy - mean(dy) - xc r^2 mean(dy xc)),  r = 1 / sqrt(variance + epsilon)
      const scale = tf.mul(r, g);
      const shiftMeans = means(dy);
      const gainMeans = tf.mul(means(tf.mul(dy, xCentered)), r);
      const dx = tf.sub(
        tf.sub(tf.mul(dy, spread(scale)), spread(tf.mul(shiftMeans, scale))),
        tf.mul(xCentered, spread(tf.mul(tf.mul(gainMeans, r), scale))),
      );
      const sums = (ofBatches: Tensor): Tensor => tf.mul(tf.sum(ofBatches, [0, 1, 2]), count);
      return [dx, sums(gainMeans), sums(shiftMeans)];
    },
  );
  return rank4(result);
}

/** Means over images and pixels, `[batches, 1, 1, channels]`, of equal batches one behind another. */
function meansOfBatches(map: Tensor, batches: number): Tensor {
  if (batches === 1) return tf.mean(map, [0, 1, 2], true);
  const [images = 0, , , channels = 0] = map.shape;
  const ofImages = tf.reshape(tf.mean(map, [1, 2]), [batches, images / batches, 1, channels]);
  return tf.mean(ofImages, 1, true);
}

/** Numbers `[batches, 1, 1, channels]` for each image of the batches. */
function overImages(numbers: Tensor, images: number): Tensor {
  const [batches = 1, , , channels = 0] = numbers.shape;
  if (batches === 1) return numbers;
  const repeated = tf.broadcastTo(numbers, [batches, images / batches, 1, channels]);
  return tf.transpose(tf.reshape(repeated, [images, channels, 1, 1]), [0, 2, 3, 1]);
}

/**
 * Batch norm over rows `[rows, channels]` that a linear layer with a bias has made without adding
 * it. The bias cancels in training (it only moves the running mean, its gradient is exactly zero),
 * so the full-size addition is saved. With `used` (`[rows]`, 1 or 0) only the rows with 1 count for
 * the statistics; fewer than two such rows leave the running statistics as they are (spec 4.6).
 */
export function rowNorm(
  x: Tensor2D,
  bias: Tensor,
  params: NamedTensors,
  prefix: string,
  mode: Mode,
  used?: Tensor,
): Tensor2D {
  const gain = parameter(params, `${prefix}.weight`);
  const shift = parameter(params, `${prefix}.bias`);
  if (!mode.training) {
    const mean = parameter(params, `${prefix}.running_mean`);
    const scale = runningScale(params, prefix);
    return rank2(tf.add(tf.mul(x, scale), tf.add(shift, tf.mul(tf.sub(bias, mean), scale))));
  }
  const [rows, channels] = x.shape;
  const { batches = 1 } = mode;
  // As linear layers leave them: channel by channel, in long lines, one for each batch.
  const lines = (values: Tensor): Tensor => {
    const ofChannels = tf.transpose(values);
    return batches === 1 ? ofChannels : tf.reshape(ofChannels, [channels, batches, rows / batches]);
  };
  if (used !== undefined && batches > 1) throw new Error('Rows that count are of one batch.');
  const perChannel = (vector: Tensor): Tensor =>
    tf.reshape(vector, batches === 1 ? [channels, 1] : [channels, 1, 1]);
  const sums = (values: Tensor): Tensor => tf.sum(values, -1, true); // [channels, (batches,) 1]
  const count = used === undefined ? rows / batches : tf.sum(used);
  const { value, mean, variance, inverse } =
    used === undefined
      ? standardized(lines(x), BATCH_NORM_EPSILON)
      : standardizedByUsed(lines(x), used, tf.maximum(count, 1));
  mode.statistics?.push({
    prefix,
    batches,
    mean: batchesFirst(tf.add(mean, perChannel(bias))),
    variance: batchesFirst(variance),
    count,
  });
  const asRows = (values: Tensor): Tensor => tf.transpose(matrix(values, [channels, rows]));
  const result = withGradient(
    [x, gain, shift, bias],
    () => ({
      value: asRows(tf.add(tf.mul(value, perChannel(gain)), perChannel(shift))),
      saved: [value, inverse, gain, bias] as const,
    }),
    (dy, [xs, r, g, b]) => {
      // dx = g r (dy - used / n (sum(dy) + xs sum(dy xs))),  xs the standardized values
      const slopes = lines(dy);
      const shiftGradients = sums(slopes);
      const gainGradients = sums(tf.mul(slopes, xs));
      const scale = tf.mul(r, perChannel(g));
      const perRow = tf.div(scale, tf.maximum(count, 1));
      const common = tf.add(
        tf.mul(xs, tf.mul(gainGradients, perRow)),
        tf.mul(shiftGradients, perRow),
      );
      const felt = used === undefined ? common : tf.mul(common, matrix(used, [1, rows]));
      const overBatches = (gradients: Tensor): Tensor =>
        tf.sum(matrix(gradients, [channels, -1]), 1);
      return [
        asRows(tf.sub(tf.mul(slopes, scale), felt)),
        overBatches(gainGradients),
        overBatches(shiftGradients),
        tf.zerosLike(b),
      ];
    },
  );
  return rank2(result);
}

/** `standardized` by the statistics of those of the rows of `[channels, rows]` that have `used` 1. */
function standardizedByUsed(values: Tensor, used: Tensor, count: Tensor): Standardized {
  const means = (numbers: Tensor): Tensor => tf.div(usedSums(numbers, used), count);
  const mean = means(values);
  const centered = tf.sub(values, mean);
  const variance = means(tf.square(centered));
  const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
  return { value: tf.mul(centered, inverse), mean, variance, inverse };
}

/** What a batch norm of running statistics multiplies each channel by: gain / sqrt(variance + epsilon). */
export function runningScale(params: NamedTensors, prefix: string): Tensor {
  const variance = parameter(params, `${prefix}.running_var`);
  const gain = parameter(params, `${prefix}.weight`);
  return tf.mul(gain, tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON)));
}

/** Sums `[channels, 1]` over those of the rows of `[channels, rows]` that have `used` 1. */
function usedSums(values: Tensor, used: Tensor): Tensor {
  return tf.matMul(rank2(values), matrix(used, [-1, 1]));
}

/** `[batches, channels]` of `[channels, batches, 1]`, or of `[channels, 1]` for one batch. */
function batchesFirst(numbers: Tensor): Tensor {
  return tf.transpose(matrix(numbers, [numbers.shape[0] ?? 0, -1]));
}
