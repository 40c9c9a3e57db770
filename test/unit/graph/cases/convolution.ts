import { conv2d, conv2dTranspose, reshape, type Tensor4D } from '@tensorflow/tfjs-core';
import type { OpCase } from '../check-op.ts';
import { floats } from './inputs.ts';
import { rank4 } from './ranks.ts';

type Padding = Parameters<typeof conv2d>[3];

interface Geometry {
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride?: number;
  readonly pad?: Padding;
  readonly channels?: readonly [number, number];
}

function explicit(top: number, bottom: number, left: number, right: number): Padding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

const layouts = ['plain', 'reversed', 'nchw', 'oihw', 'repeated-first', 'repeated-last'] as const;
/** tfjs's own and the one that networks use; every layout is tried with two geometries. */
const usualLayouts = ['plain', 'oihw'] as const;

function convolutionCase(geometry: Geometry): OpCase {
  const { size, kernel, stride = 1, pad = 0, channels = [2, 3] } = geometry;
  const [input, output] = channels;
  return {
    name: `conv2d ${size.join('x')}, ${input} to ${output}, kernel ${kernel.join('x')}, stride ${stride}, pad ${JSON.stringify(pad)}`,
    inputs: [floats([2, ...size, input]), floats([...kernel, input, output])],
    op: (x, filter) =>
      conv2d(
        rank4(x),
        rank4(filter),
        stride,
        pad,
        'NHWC',
        1,
        typeof pad === 'string' ? undefined : 'floor',
      ),
    layouts: `${kernel}` === '3,3' && typeof pad === 'object' ? layouts : usualLayouts,
  };
}

const geometries: readonly Geometry[] = [
  { size: [6, 7], kernel: [3, 3], pad: explicit(1, 1, 1, 1) },
  { size: [6, 7], kernel: [3, 3], pad: 1 },
  { size: [6, 7], kernel: [3, 3], pad: 'same' },
  { size: [6, 7], kernel: [3, 3], pad: 'valid' },
  { size: [16, 17], kernel: [1, 1], pad: explicit(0, 1, 0, 2) },
  // Filter gradients of tiles.
  { size: [5, 6], kernel: [3, 3], pad: 'same', channels: [128, 129] },
  { size: [5, 5], kernel: [3, 3], pad: 'valid', channels: [128, 128] },
  { size: [6, 7], kernel: [3, 3], stride: 2, pad: explicit(1, 1, 1, 1) },
  { size: [7, 6], kernel: [3, 3], stride: 2, pad: explicit(1, 1, 1, 1) },
  { size: [6, 7], kernel: [3, 3], stride: 2, pad: 'same' },
  { size: [6, 7], kernel: [3, 3], stride: 2, pad: 'valid' },
  { size: [6, 6], kernel: [3, 3], pad: explicit(0, 2, 1, 0) },
  { size: [5, 5], kernel: [2, 4], pad: 'same' },
  { size: [5, 5], kernel: [3, 1], pad: explicit(1, 1, 0, 0) },
  { size: [6, 7], kernel: [1, 1] },
  { size: [6, 7], kernel: [1, 1], stride: 2 },
  { size: [7, 6], kernel: [1, 1], stride: 2 },
  { size: [9, 8], kernel: [7, 7], stride: 2, pad: explicit(3, 3, 3, 3) },
  { size: [6, 6], kernel: [2, 2], stride: 2 },
  { size: [6, 7], kernel: [2, 2], stride: 2 },
  { size: [4, 5], kernel: [1, 1], pad: explicit(1, 0, 0, 2) },
  { size: [8, 9], kernel: [5, 5], stride: 3, pad: explicit(2, 2, 2, 2) },
  { size: [3, 3], kernel: [3, 3], channels: [1, 1] },
  { size: [4, 4], kernel: [3, 3], pad: 1, channels: [1, 4] },
  { size: [4, 4], kernel: [3, 3], pad: 1, channels: [4, 1] },
  { size: [4, 4], kernel: [3, 3], pad: 1, channels: [6, 4] },
  { size: [4, 4], kernel: [2, 2], channels: [4, 9] },
  { size: [4, 4], kernel: [3, 3], stride: 2, pad: explicit(1, 1, 1, 1), channels: [8, 8] },
  { size: [2, 2], kernel: [3, 3], stride: 2, pad: explicit(1, 1, 1, 1) },
  // Fine maps, of which filter gradients are made in another way.
  { size: [16, 17], kernel: [3, 3], pad: explicit(1, 1, 1, 1) },
  { size: [18, 19], kernel: [3, 3], pad: 'valid' },
  { size: [16, 16], kernel: [3, 3], pad: explicit(1, 1, 1, 1), channels: [70, 2] },
  { size: [32, 9], kernel: [3, 3], pad: explicit(1, 1, 1, 1), channels: [64, 2] },
  { size: [34, 11], kernel: [3, 2], pad: 'valid', channels: [65, 1] },
  { size: [16, 17], kernel: [1, 1] },
  { size: [33, 32], kernel: [3, 3], stride: 2, pad: explicit(1, 1, 1, 1) },
  { size: [33, 34], kernel: [7, 7], stride: 2, pad: explicit(3, 3, 3, 3) },
  { size: [33, 32], kernel: [1, 1], stride: 2 },
  { size: [50, 49], kernel: [5, 5], stride: 3, pad: explicit(2, 2, 2, 2) },
  { size: [2, 2], kernel: [2, 2], pad: explicit(0, 1, 0, 1) },
  { size: [2, 2], kernel: [2, 2], channels: [4, 8] },
  { size: [2, 2], kernel: [3, 3], pad: 1, channels: [4, 4] },
  { size: [1, 1], kernel: [1, 1], channels: [3, 2] },
];

export const convolutionCases: readonly OpCase[] = [
  ...geometries.map(convolutionCase),
  {
    name: 'conv2d with dilation 2',
    inputs: [floats([2, 7, 8, 2]), floats([3, 3, 2, 3])],
    op: (x, filter) => conv2d(rank4(x), rank4(filter), 1, 'same', 'NHWC', 2),
    gradients: false, // tfjs has none for dilated convolutions
    layouts,
  },
  {
    name: 'conv2d of one image by itself',
    inputs: [floats([1, 3, 3, 1])],
    op: (x) => conv2d(rank4(x), asFilter(rank4(x)), 1, 1),
  },
  {
    name: 'conv2dTranspose, stride 1',
    inputs: [floats([2, 6, 7, 2]), floats([3, 3, 3, 2])],
    op: (x, filter) => conv2dTranspose(rank4(x), rank4(filter), [2, 6, 7, 3], 1, 'same'),
    layouts,
  },
  {
    name: 'conv2dTranspose, stride 2',
    inputs: [floats([2, 4, 4, 2]), floats([2, 2, 3, 2])],
    op: (x, filter) => conv2dTranspose(rank4(x), rank4(filter), [2, 8, 8, 3], 2, 'valid'),
    layouts,
  },
];

function asFilter(x: Tensor4D): Tensor4D {
  return reshape(x, [3, 3, 1, 1]);
}
