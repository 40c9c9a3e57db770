import { avgPool, maxPool } from '@tensorflow/tfjs-core';
import type { OpCase } from '../check-op.ts';
import { floats } from './inputs.ts';
import { rank4 } from './ranks.ts';

type Padding = Parameters<typeof maxPool>[3];

/** Equal values would leave it open which of them is the largest. */
const distinctLayouts = ['plain', 'reversed', 'nchw'] as const;

const maximumGeometries: readonly [size: number, window: number, stride: number, pad: Padding][] = [
  [6, 2, 2, 0],
  [7, 2, 2, 'valid'],
  [7, 3, 2, 'same'],
  [6, 3, 2, 'same'],
  [5, 3, 1, 'same'],
  [7, 3, 3, 'valid'],
];

export const poolingCases: readonly OpCase[] = [
  ...maximumGeometries.map(
    ([size, window, stride, pad]) =>
      ({
        name: `maxPool of ${size}, window ${window}, stride ${stride}, pad ${JSON.stringify(pad)}`,
        inputs: [floats([2, size, size + 1, 3])],
        op: (x) => maxPool(rank4(x), window, stride, pad),
        layouts: distinctLayouts,
      }) satisfies OpCase,
  ),
  {
    name: 'maxPool with padding of 1, as behind the first convolution of a residual network',
    inputs: [floats([2, 6, 8, 3])],
    op: (x) =>
      maxPool(
        rank4(x),
        3,
        2,
        [
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        'floor',
      ),
    layouts: distinctLayouts,
  },
  {
    name: 'avgPool over tiles',
    inputs: [floats([2, 4, 6, 3])],
    op: (x) => avgPool(rank4(x), [2, 3], [2, 3], 'valid'),
  },
  {
    name: 'avgPool over the whole image',
    inputs: [floats([2, 4, 6, 3])],
    op: (x) => avgPool(rank4(x), [4, 6], 1, 'valid'),
  },
  {
    name: 'avgPool with overlap and padding',
    inputs: [floats([2, 5, 5, 3])],
    op: (x) => avgPool(rank4(x), 3, 2, 'same'),
    gradients: false, // traced for tiles only
  },
];
