import * as tf from '@tensorflow/tfjs-core';
import { engine, getKernel, type Tensor } from '@tensorflow/tfjs-core';
import { STANDARDIZE } from '../graph/own-kernels.ts';

export interface Standardized {
  /** Of mean 0 and variance 1 along the last axis, but for epsilon. */
  readonly value: Tensor;
  /** Of the last axis, which stays with size 1. */
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** 1 / sqrt(variance + epsilon) */
  readonly inverse: Tensor;
}

/** x less its mean along the last axis, by its deviation there. It has no gradient of its own. */
export function standardized(x: Tensor, epsilon: number): Standardized {
  if (getKernel(STANDARDIZE, engine().backendName) === undefined) {
    const mean = tf.mean(x, -1, true);
    const centered = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centered), -1, true);
    const inverse = tf.rsqrt(tf.add(variance, epsilon));
    return { value: tf.mul(centered, inverse), mean, variance, inverse };
  }
  const [value, mean, inverse] = engine().runKernel<Tensor[]>(STANDARDIZE, { x }, { epsilon });
  if (value === undefined || mean === undefined || inverse === undefined) {
    throw new Error('A kernel lacks outputs.');
  }
  const variance = tf.maximum(tf.sub(tf.reciprocal(tf.square(inverse)), epsilon), 0);
  return { value, mean, variance, inverse };
}
