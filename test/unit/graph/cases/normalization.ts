import { batchNorm, relu } from '@tensorflow/tfjs-core';
import type { OpCase } from '../check-op.ts';
import { floats } from './inputs.ts';
import { rank1, rank2, rank4 } from './ranks.ts';
import { standardized } from '../../../../src-main/nn/standardize.ts';

const positive = [0.2, 2] as const;

function statistics(channels: number) {
  return [
    floats([channels]),
    floats([channels], positive),
    floats([channels]),
    floats([channels], positive),
  ];
}

export const normalizationCases: readonly OpCase[] = [
  {
    name: 'batchNorm of activations',
    inputs: [floats([2, 3, 4, 5]), ...statistics(5)],
    op: (x, mean, variance, offset, scale) =>
      batchNorm(rank4(x), rank1(mean), rank1(variance), rank1(offset), rank1(scale), 1e-5),
  },
  {
    name: 'batchNorm without offset and scale',
    inputs: [floats([2, 3, 4, 5]), floats([5]), floats([5], positive)],
    op: (x, mean, variance) =>
      batchNorm(rank4(x), rank1(mean), rank1(variance), undefined, undefined, 1e-3),
    gradients: false, // tfjs cannot keep a missing scale for its gradient
  },
  {
    name: 'batchNorm of rows',
    inputs: [floats([6, 5]), ...statistics(5)],
    op: (x, mean, variance, offset, scale) =>
      relu(batchNorm(rank2(x), rank1(mean), rank1(variance), rank1(offset), rank1(scale), 1e-5)),
  },
  {
    name: 'standardized along the last axis',
    inputs: [floats([3, 2, 7], positive)],
    op: (x) => {
      const { value, mean, variance, inverse } = standardized(x, 1e-5);
      return [value, mean, variance, inverse];
    },
    gradients: false, // norms have their own
  },
];
