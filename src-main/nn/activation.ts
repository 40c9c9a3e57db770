import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { withGradient } from './custom-gradient.ts';

/** max(x, 0). Its gradient needs only the result, so the input need not be kept. */
export function relu<T extends Tensor>(x: T): T {
  return likeInput(
    x,
    withGradient(
      [x],
      () => {
        const value = tf.relu(x);
        return { value, saved: [value] as const };
      },
      (dy, [y]) => [tf.mul(dy, tf.step(y))],
    ),
  );
}

/** Exact GELU, x times the normal distribution function. */
export function gelu<T extends Tensor>(x: T): T {
  return likeInput(
    x,
    withGradient(
      [x],
      () => {
        // The form that onnxruntime knows as one operator, where nothing else needs its parts.
        const twiceBelow = tf.add(tf.erf(tf.div(x, Math.SQRT2)), 1);
        return { value: tf.mul(tf.mul(x, twiceBelow), 0.5), saved: [x, twiceBelow] as const };
      },
      (dy, [input, twiceBelow]) => {
        const density = tf.mul(tf.exp(tf.mul(tf.square(input), -0.5)), Math.sqrt(2 / Math.PI));
        const twiceSlope = tf.add(twiceBelow, tf.mul(input, density));
        return [tf.mul(dy, tf.mul(twiceSlope, 0.5))];
      },
    ),
  );
}

/** x / max(|x|, 1e-12) along the last axis. */
export function normalize<T extends Tensor>(x: T): T {
  return likeInput(
    x,
    withGradient(
      [x],
      () => {
        const inverse = tf.rsqrt(tf.maximum(tf.sum(tf.square(x), -1, true), 1e-24));
        const value = tf.mul(x, inverse);
        return { value, saved: [value, inverse] as const };
      },
      (dy, [y, inverse]) => {
        const along = tf.sum(tf.mul(dy, y), -1, true);
        return [tf.mul(tf.sub(dy, tf.mul(y, along)), inverse)];
      },
    ),
  );
}

/** Carries the static rank of an element-wise operation's input over to its result. */
function likeInput<T extends Tensor>(input: T, result: Tensor): T {
  if (!hasRankOf(input, result)) throw new Error('An element-wise operation changed the rank.');
  return result;
}

function hasRankOf<T extends Tensor>(input: T, result: Tensor): result is T {
  return input.rank === result.rank;
}
