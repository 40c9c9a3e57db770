import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { OpCase } from '../check-op.ts';
import { floats, integers } from './inputs.ts';
import { rank1, rank2, rank4 } from './ranks.ts';

const reshapes: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [2, 3, 4],
    [6, 4],
  ],
  [[2, 3, 4], [24]],
  [
    [2, 3, 4],
    [2, 1, 3, 4],
  ],
  [
    [2, 1, 3, 4],
    [2, 3, 4],
  ],
  [
    [2, 3, 1, 4],
    [1, 2, 3, 4],
  ],
  [
    [2, 3, 4, 5],
    [6, 20],
  ],
  [
    [2, 3, 4, 5],
    [2, 12, 5],
  ],
  [[1, 1, 1], []],
  [[], [1, 1]],
];

const unaries: Readonly<Record<string, (x: Tensor) => Tensor | Tensor[]>> = {
  transpose: (x) => tf.transpose(x),
  'transpose [1,0,2]': (x) => tf.transpose(x, [1, 0, 2]),
  'transpose and relu': (x) => tf.relu(tf.transpose(tf.relu(x), [2, 0, 1])),
  'expandDims 0': (x) => tf.expandDims(x, 0),
  'expandDims 1': (x) => tf.expandDims(x, 1),
  'expandDims -1': (x) => tf.expandDims(x, -1),
  'squeeze of what was expanded': (x) => tf.squeeze(tf.expandDims(tf.relu(x), 2)),
  'broadcastTo a higher rank': (x) => tf.mul(tf.broadcastTo(x, [2, 2, 3, 4]), 2),
  tile: (x) => tf.tile(x, [2, 1, 3]),
  'tile of one slice': (x) => tf.tile(tf.slice(x, [0, 1, 0], [2, 1, 4]), [1, 5, 1]),
  reverse: (x) => tf.reverse(x),
  'reverse 1': (x) => tf.reverse(x, 1),
  'reverse [0,2]': (x) => tf.reverse(x, [0, -1]),
  slice: (x) => tf.slice(x, [0, 1, 1], [2, 1, 2]),
  'slice to the end': (x) => tf.slice(x, [1, 0, 2], [-1, 2, -1]),
  stridedSlice: (x) => tf.stridedSlice(x, [0, 0, 1], [2, 3, 4], [1, 2, 2]),
  'stridedSlice backwards': (x) => tf.stridedSlice(x, [0, 2, 3], [2, 0, 0], [1, -1, -2]),
  'stridedSlice from the end': (x) => tf.stridedSlice(x, [0, -2, -3], [2, 3, -1], [1, 1, 1]),
  'stridedSlice with masks': (x) => tf.stridedSlice(x, [1, 1, 1], [1, 2, 3], [1, 1, 1], 1, 4),
  'split into 3': (x) => tf.split(x, 3, 1),
  'split by sizes': (x) => tf.split(x, [1, 3], -1),
  unstack: (x) => tf.unstack(x, 1),
  'pad with 0': (x) =>
    tf.pad(x, [
      [0, 0],
      [1, 2],
      [0, 1],
    ]),
  'pad with 2.5': (x) =>
    tf.pad(
      x,
      [
        [1, 0],
        [0, 0],
        [2, 1],
      ],
      2.5,
    ),
  'stack with itself': (x) => tf.stack([x, x], 1),
  'concat with itself': (x) => tf.concat([x, tf.mul(x, 2)], -1),
};

/** Strided slices have a gradient in tfjs only where they are plain. */
const withoutGradient = new Set(
  Object.keys(unaries).filter((name) => name.startsWith('stridedSlice')),
);

export const shapeCases: readonly OpCase[] = [
  ...reshapes.map(([from, to]) => ({
    name: `reshape [${from.join()}] to [${to.join()}]`,
    inputs: [floats(from)],
    op: (x: Tensor) => tf.mul(tf.reshape(x, [...to]), 2),
  })),
  ...Object.entries(unaries).map(([name, op]) => ({
    name,
    inputs: [floats([2, 3, 4])],
    op,
    gradients: !withoutGradient.has(name),
  })),
  ...[0, 1, -1].map((axis) => ({
    name: `concat along ${axis}`,
    inputs: [floats([2, 3, 4]), floats([2, 3, 4]), floats([2, 3, 4])],
    op: (a: Tensor, b: Tensor, c: Tensor) => tf.concat([a, b, tf.transpose(tf.transpose(c))], axis),
  })),
  {
    name: 'concat of feature maps',
    inputs: [floats([2, 3, 4, 2]), floats([2, 3, 4, 3])],
    op: (a, b) => tf.concat([a, b], 3),
  },
  {
    name: 'concat of different lengths with nothing in between',
    inputs: [floats([2, 3]), floats([4, 3])],
    op: (a, b) => tf.concat([a, tf.zeros([0, 3]), b], 0),
  },
  ...[0, 2].map((axis) => ({
    name: `stack along ${axis}`,
    inputs: [floats([2, 3]), floats([2, 3])],
    op: (a: Tensor, b: Tensor) => tf.stack([a, b], axis),
  })),
  ...[0, 1, 2].map((axis) => ({
    name: `gather along ${axis}`,
    inputs: [floats([3, 3, 4]), integers([5], [2, 0, 1, 1, 0])],
    op: (x: Tensor, indices: Tensor) => tf.gather(x, rank1(indices), axis),
    layouts: ['plain', 'reversed', 'repeated-last'] as const,
  })),
  {
    name: 'gather with a matrix of indices',
    inputs: [floats([3, 4]), integers([2, 3], [2, 0, 1, 1, 0])],
    op: (x, indices) => tf.gather(x, rank2(indices)),
  },
  {
    name: 'gather with one row of indices for every batch item',
    inputs: [floats([2, 5, 3]), integers([2, 4], [2, 0, 1, 4, 3])],
    op: (x, indices) => tf.gather(x, rank2(indices), 1, 1),
    gradients: false, // tfjs has none with batch axes
  },
  {
    name: 'gatherND',
    inputs: [floats([2, 3, 4]), integers([3, 2], [1, 2, 0, 1, 1, 0])],
    op: (x, indices) => tf.gatherND(x, rank2(indices)),
    gradients: false, // not used in training, so its gradient is not traced
    layouts: ['plain'],
  },
  {
    name: 'unsortedSegmentSum',
    inputs: [floats([5, 3]), integers([5], [2, 0, 2, 1, 0])],
    op: (x, ids) => tf.unsortedSegmentSum(x, rank1(ids), 4),
    layouts: ['plain', 'reversed', 'repeated-last'],
  },
  {
    name: 'oneHot',
    inputs: [integers([2, 3], [0, 3, 1, 2])],
    op: (x) => [
      tf.oneHot(rank2(x), 4),
      tf.cast(tf.oneHot(rank2(x), 3, 5, -1, 'float32'), 'float32'),
    ],
    gradients: false,
  },
  {
    name: 'range',
    inputs: [floats([4])],
    op: (x) => [
      tf.add(x, tf.range(0, 4)),
      tf.add(x, tf.cast(tf.range(6, 2, -1, 'int32'), 'float32')),
    ],
  },
  {
    name: 'depthToSpace',
    inputs: [floats([2, 3, 2, 8])],
    op: (x) => tf.depthToSpace(rank4(x), 2),
    gradients: false, // tfjs has none
  },
];
