import { matMul, transpose, type Tensor } from '@tensorflow/tfjs-core';
import type { OpCase } from '../check-op.ts';
import { floats } from './inputs.ts';

const flags = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

function product(
  batch: readonly number[],
  [transposeA, transposeB]: readonly [boolean, boolean],
): OpCase {
  const [rows, inner, columns] = [3, 4, 5];
  return {
    name: `matMul in batches [${batch.join()}]${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`,
    inputs: [
      floats([...batch, ...(transposeA ? [inner, rows] : [rows, inner])]),
      floats([...batch, ...(transposeB ? [columns, inner] : [inner, columns])]),
    ],
    op: (a, b) => matMul(a, b, transposeA, transposeB),
  };
}

export const matrixCases: readonly OpCase[] = [
  ...[[], [1], [2], [2, 3], [1, 1]].flatMap((batch) => flags.map((flag) => product(batch, flag))),
  {
    name: 'matMul with one matrix for the whole batch',
    inputs: [floats([2, 3, 4]), floats([1, 4, 5])],
    op: (a, b) => matMul(a, b),
    gradients: false, // tfjs's gradient does not sum over the batch
  },
  {
    name: 'matMul of a matrix with itself, transposed',
    inputs: [floats([3, 4])],
    op: (a: Tensor) => matMul(a, transpose(a)),
  },
];
