import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { withGradient } from './custom-gradient.ts';
import type { Mode } from './mode.ts';
import { parameter, rank1, rank2, rank4 } from './tensors.ts';

/** PyTorch's defaults, used everywhere by the reference. */
export const BATCH_NORM_EPSILON = 1e-5;
export const BATCH_NORM_MOMENTUM = 0.1;

/** Batch norm over all axes but the last of feature maps `[batch, height, width, channels]`. */
export function batchNorm(x: Tensor4D, params: NamedTensors, prefix: string, mode: Mode): Tensor4D {
  const gain = rank1(parameter(params, `${prefix}.weight`));
  const shift = rank1(parameter(params, `${prefix}.bias`));
  if (!mode.training) {
    const mean = rank1(parameter(params, `${prefix}.running_mean`));
    const variance = rank1(parameter(params, `${prefix}.running_var`));
    return tf.batchNorm(x, mean, variance, shift, gain, BATCH_NORM_EPSILON);
  }
  const axes = [0, 1, 2];
  const count = x.size / (x.shape[3] || 1);
  const mean = rank1(tf.mean(x, axes));
  const centered = tf.sub(x, mean);
  const variance = rank1(tf.mean(tf.square(centered), axes));
  updateStatistics(params, prefix, mode, { mean, variance, count: tf.scalar(count) });
  const zeros = tf.zerosLike(mean);
  const result = withGradient(
    [x, gain, shift],
    () => ({
      // From the centered values, so that it can be made again of what is kept for the gradient.
      value: tf.batchNorm(centered, zeros, variance, shift, gain, BATCH_NORM_EPSILON),
      saved: [centered, variance, gain] as const,
    }),
    (dy, [xCentered, xVariance, g]) => {
      // dx = g r (dy - mean(dy) - xc r^2 mean(dy xc)),  r = 1 / sqrt(variance + epsilon)
      const r = tf.rsqrt(tf.add(xVariance, BATCH_NORM_EPSILON));
      const shiftGradient = tf.sum(dy, axes);
      const gainGradient = tf.mul(tf.sum(tf.mul(dy, xCentered), axes), r);
      const slope = tf.div(tf.mul(tf.mul(gainGradient, g), tf.square(r)), count);
      const scaled = tf.batchNorm(
        rank4(dy),
        rank1(tf.div(shiftGradient, count)),
        rank1(xVariance),
        undefined,
        rank1(g),
        BATCH_NORM_EPSILON,
      );
      return [tf.sub(scaled, tf.mul(xCentered, slope)), gainGradient, shiftGradient];
    },
  );
  return rank4(result);
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
  const count = used === undefined ? tf.scalar(x.shape[0]) : tf.sum(used);
  const safeCount = tf.maximum(count, 1);
  const mean = tf.div(sumOfRows(x, used), safeCount); // [channels]
  const centered = tf.sub(x, mean);
  const variance = tf.div(sumOfRows(tf.square(centered), used), safeCount);
  updateStatistics(params, prefix, mode, { mean: tf.add(mean, bias), variance, count });
  const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
  const result = withGradient(
    [x, gain, shift, bias],
    () => ({
      value: tf.add(tf.mul(centered, tf.mul(inverse, gain)), shift),
      saved: [centered, inverse, gain, safeCount, bias] as const,
    }),
    (dy, [xCentered, r, g, n, b]) => {
      // dx = g r (dy - used / n (sum(dy) + xc r^2 sum(dy xc)))
      const shiftGradient = tf.sum(dy, 0);
      const gainGradient = tf.mul(tf.sum(tf.mul(dy, xCentered), 0), r);
      const scale = tf.mul(r, g);
      const perRow = tf.div(scale, n);
      const common = tf.add(
        tf.mul(xCentered, tf.mul(tf.mul(gainGradient, r), perRow)),
        tf.mul(shiftGradient, perRow),
      );
      const felt = used === undefined ? common : tf.mul(common, tf.reshape(used, [-1, 1]));
      return [tf.sub(tf.mul(dy, scale), felt), gainGradient, shiftGradient, tf.zerosLike(b)];
    },
  );
  return rank2(result);
}

/** What a batch norm of running statistics multiplies each channel by: gain / sqrt(variance + epsilon). */
export function runningScale(params: NamedTensors, prefix: string): Tensor {
  const variance = parameter(params, `${prefix}.running_var`);
  const gain = parameter(params, `${prefix}.weight`);
  return tf.mul(gain, tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON)));
}

/** Sum over the rows of `[rows, channels]`, or over those with `used` 1. */
function sumOfRows(rows: Tensor, used: Tensor | undefined): Tensor {
  if (used === undefined) return tf.sum(rows, 0);
  return tf.reshape(tf.matMul(rank2(tf.reshape(used, [1, -1])), rank2(rows)), [-1]);
}

/** running <- running + momentum (batch - running), the variance in its n / (n - 1) form. */
export function updateStatistics(
  params: NamedTensors,
  prefix: string,
  mode: Mode,
  batch: { readonly mean: Tensor; readonly variance: Tensor; readonly count: Tensor },
): void {
  const { updates } = mode;
  if (updates === undefined) return;
  // 0 where fewer than two values leave the variance undefined
  const enough = tf.cast(tf.greaterEqual(batch.count, 2), 'float32');
  const momentum = tf.mul(enough, BATCH_NORM_MOMENTUM);
  const unbiased = tf.div(batch.count, tf.maximum(tf.sub(batch.count, 1), 1));
  const move = (name: string, target: Tensor): void => {
    const running = updates.get(name) ?? parameter(params, name);
    updates.set(name, tf.add(running, tf.mul(momentum, tf.sub(target, running))));
  };
  move(`${prefix}.running_mean`, batch.mean);
  move(`${prefix}.running_var`, tf.mul(batch.variance, unbiased));
}
