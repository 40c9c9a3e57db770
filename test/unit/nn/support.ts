import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { HostTensors, NamedTensors } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { rank1, rank2, rank4 } from '../../../src-main/nn/tensors.ts';

export function asTensors(tensors: HostTensors): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
  );
}

/** Standard normal values. */
export function randomTensor(
  shape: readonly [number, number, number, number],
  seed: number,
): Tensor4D;
export function randomTensor(shape: readonly [number, number], seed: number): Tensor2D;
export function randomTensor(shape: readonly [number], seed: number): Tensor1D;
export function randomTensor(shape: readonly number[], seed: number): Tensor {
  const random = new Random(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  const tensor = tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    [...shape],
  );
  if (shape.length === 4) return rank4(tensor);
  return shape.length === 2 ? rank2(tensor) : rank1(tensor);
}

/**
 * Compares the gradients of `f` with central differences in a random direction of every input.
 * `f` returns any tensor; its values are weighted at random.
 */
export function checkGradients(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  tolerance = 2e-3,
): void {
  const objective = (...values: Tensor[]): Tensor => {
    const y = f(...values);
    const weights = directionLike(y, 99);
    return tf.sum(tf.mul(y, weights));
  };
  const gradients = tf.grads(objective)([...inputs]);
  inputs.forEach((input, i) => {
    const direction = directionLike(input, 7 + i);
    const step = 1e-2;
    const moved = (by: number): number => {
      const values = inputs.map((v, j) => (j === i ? tf.add(v, tf.mul(direction, by)) : v));
      return objective(...values).dataSync()[0] ?? NaN;
    };
    const numeric = (moved(step) - moved(-step)) / (2 * step);
    const analytic = tf.sum(tf.mul(gradients[i] ?? NaN, direction)).dataSync()[0] ?? NaN;
    const scale = Math.max(1, Math.abs(numeric));
    expect(Math.abs(analytic - numeric) / scale, `input ${i}`).toBeLessThan(tolerance);
  });
}

function directionLike(tensor: Tensor, seed: number): Tensor {
  const random = new Random(seed);
  const values = Float32Array.from({ length: tensor.size }, () => random.normal());
  return tf.tensor(values, tensor.shape);
}
