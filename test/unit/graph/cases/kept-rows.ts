import { mul, reshape, sum, tensor1d } from '@tensorflow/tfjs-core';
import { keptRows } from '../../../../src-main/nn/kept-rows.ts';
import type { OpCase } from '../check-op.ts';
import { floats } from './inputs.ts';

export const keptRowsCases: readonly OpCase[] = [
  {
    name: 'kept rows of a matrix',
    inputs: [floats([6, 3])],
    op: (x) => {
      const isKept = tensor1d([1, 0, 1, 1, 0, 1]);
      // The reference keeps all rows: those left out here hold zeros there.
      return sum(keptRows(mul(x, reshape(isKept, [6, 1])), isKept), 0);
    },
  },
];
