import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Layout, OpCase } from '../check-op.ts';
import { floats, given, integers } from './inputs.ts';

type Reduce = (x: Tensor, axis: number | number[] | undefined, keepDims: boolean) => Tensor;

interface Reduction {
  readonly op: Reduce;
  readonly gradients?: boolean;
  readonly layouts?: readonly Layout[];
}

/** Equal values would leave it open which of them is the largest. */
const distinct = ['plain', 'reversed'] as const;
const axes = [undefined, 0, 1, -1, [0, 2], [1, -1], [0, 1, 2]];

const reductions: Readonly<Record<string, Reduction>> = {
  sum: { op: (x, axis, keep) => tf.sum(x, axis, keep) },
  mean: { op: (x, axis, keep) => tf.mean(x, axis, keep) },
  max: { op: (x, axis, keep) => tf.max(x, axis, keep), layouts: distinct },
  min: { op: (x, axis, keep) => tf.min(x, axis, keep), layouts: distinct },
  prod: { op: (x, axis, keep) => tf.prod(x, axis, keep), gradients: false },
  all: { op: (x, axis, keep) => tf.all(tf.greater(x, -0.8), axis, keep), gradients: false },
  any: { op: (x, axis, keep) => tf.any(tf.greater(x, 0.8), axis, keep), gradients: false },
  'sum of booleans': {
    op: (x, axis, keep) => tf.sum(tf.greater(x, 0), axis, keep),
    gradients: false,
  },
  logSumExp: { op: (x, axis, keep) => tf.logSumExp(x, axis, keep) },
};

const alongOneAxis: Readonly<Record<string, (x: Tensor, axis: number) => Tensor>> = {
  argMax: (x, axis) => tf.argMax(x, axis),
  argMin: (x, axis) => tf.argMin(x, axis),
};

const last: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  'softmax of large numbers': (x) => tf.softmax(tf.mul(x, 200)),
};

export const reductionCases: readonly OpCase[] = [
  ...Object.entries(reductions).flatMap(([name, { op, ...settings }]) =>
    axes.map((axis, i) => ({
      name: `${name} over ${JSON.stringify(axis) ?? 'all axes'}`,
      inputs: [floats([2, 3, 4])],
      op: (x: Tensor) => op(x, axis, i % 2 === 1),
      ...settings,
    })),
  ),
  ...[[1, 2], [0], [0, 1, 2]].map((axis) => ({
    name: `mean of activations over ${axis.join()}`,
    inputs: [floats([2, 3, 4, 5])],
    op: (x: Tensor) => tf.mean(tf.square(x), axis, true),
  })),
  ...Object.entries(alongOneAxis).flatMap(([name, op]) =>
    [0, 1, -1].map((axis) => ({
      name: `${name} along ${axis}`,
      inputs: [floats([3, 4, 5])],
      op: (x: Tensor) => op(x, axis),
      gradients: false,
      layouts: distinct,
    })),
  ),
  ...Object.entries(last).flatMap(([name, op]) =>
    [[5], [3, 5], [2, 3, 4, 5]].map((shape) => ({
      name: `${name} of [${shape.join()}]`,
      inputs: [floats(shape)],
      op,
    })),
  ),
  ...[7, 8].map((classes) => ({
    name: `softmax over ${classes} classes of a large picture`,
    inputs: [floats([1, 128, 128, classes])],
    op: (x: Tensor) => tf.softmax(x),
    gradients: false, // too many numbers for differences
    layouts: ['nchw', 'plain'] as const,
  })),
  ...[false, true].flatMap((exclusive) =>
    [false, true].map((reverse) => ({
      name: `cumsum${exclusive ? ', exclusive' : ''}${reverse ? ', reverse' : ''}`,
      inputs: [floats([3, 4])],
      op: (x: Tensor) => tf.cumsum(x, 1, exclusive, reverse),
    })),
  ),
  {
    name: 'cumsum along the first axis',
    inputs: [floats([3, 4])],
    op: (x) => tf.cumsum(x, 0),
    gradients: false, // tfjs returns it transposed
  },
  {
    name: 'topk',
    inputs: [floats([3, 6])],
    op: (x) => {
      const { values, indices } = tf.topk(x, 2);
      return [values, indices];
    },
    gradients: false,
    layouts: distinct,
  },
  {
    name: 'reductions of int32',
    inputs: [integers([3, 4], [5, -3, 8, 0, 2, 7, -9])],
    op: (x) => [tf.sum(x, 1), tf.max(x, 0), tf.min(x, 1), tf.prod(x, 0), tf.argMax(x, 0)],
    gradients: false,
    layouts: distinct,
  },
  {
    name: 'reductions of a scalar',
    inputs: [floats([])],
    op: (x) => [tf.sum(x), tf.mean(x), tf.max(x)],
  },
  {
    name: 'sum of a constant',
    inputs: [given([2], [1, 2])],
    op: (x) => tf.mul(x, tf.add(tf.sum(tf.ones([3, 4])), tf.mean(tf.fill([2, 2], 5)))),
  },
];
