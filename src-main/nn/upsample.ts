import * as tf from '@tensorflow/tfjs-core';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { withGradient } from './custom-gradient.ts';
import { rank4 } from './tensors.ts';

/**
 * Bilinear upsampling with half-pixel centers (PyTorch's `align_corners=False`). tfjs ignores the
 * half-pixel rule in its gradient, so the backward pass is written as the transposed interpolation
 * matrices.
 */
export function upsampleBilinear(x: Tensor4D, size: readonly [number, number]): Tensor4D {
  const [height, width] = size;
  if (x.shape[1] === height && x.shape[2] === width) return x;
  const result = withGradient(
    [x],
    () => ({ value: tf.image.resizeBilinear(x, [height, width], false, true), saved: [] as const }),
    (dy) => [transposedUpsampling(rank4(dy), x.shape)],
  );
  return rank4(result);
}

/** U_y^T dy U_x for every plane of maps `[batch, height, width, channels]`. */
function transposedUpsampling(
  dy: Tensor4D,
  [batch, height, width, channels]: readonly [number, number, number, number],
): Tensor4D {
  const [, fullHeight, fullWidth] = dy.shape;
  const planes = tf.reshape<tf.Rank.R3>(tf.transpose(dy, [0, 3, 1, 2]), [
    batch * channels,
    fullHeight,
    fullWidth,
  ]);
  const vertical = tf.reshape<tf.Rank.R3>(interpolation(height, fullHeight), [
    1,
    fullHeight,
    height,
  ]);
  const lower = tf.matMul(vertical, planes, true, false); // [batch * channels, height, fullWidth]
  const lines = tf.reshape<tf.Rank.R2>(lower, [batch * channels * height, fullWidth]);
  const small = tf.matMul(lines, interpolation(width, fullWidth));
  return rank4(tf.transpose(tf.reshape(small, [batch, channels, height, width]), [0, 2, 3, 1]));
}

/** `[to, from]`: row i holds the weights of output i. */
function interpolation(from: number, to: number): Tensor2D {
  const weights = new Float32Array(to * from);
  const add = (i: number, j: number, weight: number): void => {
    const at = i * from + Math.min(j, from - 1);
    weights[at] = (weights[at] ?? 0) + weight;
  };
  for (let i = 0; i < to; i++) {
    const position = Math.max(((i + 0.5) * from) / to - 0.5, 0);
    const below = Math.floor(position);
    add(i, below, 1 - (position - below));
    add(i, below + 1, position - below);
  }
  return tf.tensor2d(weights, [to, from]);
}
