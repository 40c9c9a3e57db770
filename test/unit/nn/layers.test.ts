import '../../../src-main/graph/gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { defined } from '../../../src-main/lib/errors.ts';
import { gelu, normalize, relu } from '../../../src-main/nn/activation.ts';
import { batchNorm, rowNorm } from '../../../src-main/nn/batch-norm.ts';
import { convolution } from '../../../src-main/nn/convolution.ts';
import { nextStatistics, type BatchStatistics } from '../../../src-main/nn/running-statistics.ts';
import { rank2, rank4 } from '../../../src-main/nn/tensors.ts';
import { upsampleBilinear } from '../../../src-main/nn/upsample.ts';
import { checkGradients, randomTensor } from './support.ts';

beforeAll(() => tf.setBackend('cpu'));

describe('gradients equal central differences', () => {
  test('gelu, relu, normalize', () => {
    const x = randomTensor([5, 4], 1);
    checkGradients(gelu, [x]);
    checkGradients(relu, [tf.add(x, tf.mul(tf.sign(x), 0.2))]); // no input near the kink
    checkGradients(normalize, [x]);
  });

  test.each([
    { kernel: 3, dilation: 1, stride: 1 },
    { kernel: 3, dilation: 1, stride: 2 },
    { kernel: 3, dilation: 2, stride: 1 },
    { kernel: 3, dilation: 6, stride: 1 }, // most taps only see padding
  ])('convolution $kernel, dilation $dilation, stride $stride', ({ kernel, ...options }) => {
    const x = randomTensor([2, 5, 7, 3], 1);
    const weight = randomTensor([4, 3, kernel, kernel], 2);
    checkGradients((input, w) => convolution(rank4(input), w, options), [x, weight]);
  });

  test('batch norm of maps and of rows', () => {
    const params = { 'bn.weight': randomTensor([3], 3), 'bn.bias': randomTensor([3], 4) };
    const names = (gain: Tensor, shift: Tensor) => ({ 'bn.weight': gain, 'bn.bias': shift });
    const mode = { training: true };
    const inputs = [params['bn.weight'], params['bn.bias']];
    checkGradients(
      (x, gain, shift) => batchNorm(rank4(x), names(gain, shift), 'bn', mode),
      [randomTensor([2, 4, 3, 3], 5), ...inputs],
    );
    const bias = randomTensor([3], 6);
    const used = tf.tensor1d([1, 0, 1, 1, 0, 1, 1]);
    for (const rows of [undefined, used]) {
      checkGradients(
        (x, gain, shift, b) => rowNorm(rank2(x), b, names(gain, shift), 'bn', mode, rows),
        [randomTensor([7, 3], 7), ...inputs, bias],
      );
    }
  });

  test('bilinear upsampling', () => {
    checkGradients((x) => upsampleBilinear(rank4(x), [8, 12]), [randomTensor([2, 3, 4, 2], 1)]);
  });
});

describe('rows of a batch norm', () => {
  const params = () => ({
    'bn.weight': tf.ones([2]),
    'bn.bias': tf.zeros([2]),
    'bn.running_mean': tf.zeros([2]),
    'bn.running_var': tf.ones([2]),
  });

  test('only used rows count, and the bias moves the running mean alone', () => {
    const x = tf.tensor2d([[1, 2], [100, 100], [3, 6]]); // prettier-ignore
    const statistics: BatchStatistics[] = [];
    const mode = { training: true, statistics };
    const y = rowNorm(x, tf.tensor1d([10, 0]), params(), 'bn', mode, tf.tensor1d([1, 0, 1]));
    expect(Array.from(y.dataSync()).map((v) => Math.round(v))).toEqual([-1, -1, 98, 48, 1, 1]);
    const next = nextStatistics(params(), statistics);
    expectValues(next['bn.running_mean'], [1.2, 0.4]); // 0.1 (2 + 10), 0.1 * 4
    expectValues(next['bn.running_var'], [1.1, 1.7]); // 0.9 + 0.1 * (2, 8)
  });

  test('a single used row leaves the statistics alone and gives finite values', () => {
    const statistics: BatchStatistics[] = [];
    const x = tf.tensor2d([[1, 2], [3, 6]]); // prettier-ignore
    const used = tf.tensor1d([0, 1]);
    const y = rowNorm(x, tf.zeros([2]), params(), 'bn', { training: true, statistics }, used);
    expect(Array.from(y.dataSync()).every(Number.isFinite)).toBe(true);
    const next = nextStatistics(params(), statistics);
    expectValues(next['bn.running_mean'], [0, 0]);
    expectValues(next['bn.running_var'], [1, 1]);
  });

  test('inference adds the bias', () => {
    const y = rowNorm(tf.tensor2d([[1, 2]]), tf.tensor1d([10, 0]), params(), 'bn', {
      training: false,
    });
    expectValues(y, [11, 2]);
  });
});

describe('batches one behind another', () => {
  const params = () => ({
    'bn.weight': randomTensor([3], 3),
    'bn.bias': randomTensor([3], 4),
    'bn.running_mean': randomTensor([3], 5),
    'bn.running_var': tf.ones([3]),
  });
  type Apply = (x: Tensor, statistics: BatchStatistics[], batches: number) => Tensor;
  const ofMaps: Apply = (x, statistics, batches) =>
    batchNorm(rank4(x), params(), 'bn', { training: true, statistics, batches });
  const ofRows: Apply = (x, statistics, batches) =>
    rowNorm(rank2(x), tf.zeros([3]), params(), 'bn', { training: true, statistics, batches });

  test.each([
    ['maps', ofMaps, [randomTensor([4, 2, 3, 3], 6), randomTensor([4, 2, 3, 3], 7)]],
    ['rows', ofRows, [randomTensor([10, 3], 6), randomTensor([10, 3], 7)]],
  ] as const)('%s are normalized as by a call for each', (_, apply, [x, upstream]) => {
    const together: BatchStatistics[] = [];
    const apart: BatchStatistics[] = [];
    const halves = (input: Tensor): Tensor =>
      tf.concat(tf.split(input, 2).map((half) => apply(half, apart, 1)));
    const slope = (f: (input: Tensor) => Tensor): Tensor =>
      tf.grad((input) => tf.sum(tf.mul(f(input), upstream)))(x);
    expectValues(apply(x, together, 2), [...halves(x).dataSync()]);
    const [next, expected] = [nextStatistics(params(), together), nextStatistics(params(), apart)];
    for (const name of ['bn.running_mean', 'bn.running_var']) {
      expectValues(next[name], [...defined(expected[name], name).dataSync()]);
    }
    const joined = slope((input) => apply(input, [], 2));
    expectValues(joined, [...slope(halves).dataSync()]);
  });
});

test('bilinear upsampling has half-pixel centers', () => {
  const x = tf.tensor4d([0, 1], [1, 1, 2, 1]);
  expectValues(upsampleBilinear(x, [1, 4]), [0, 0.25, 0.75, 1]);
});

function expectValues(tensor: Tensor | undefined, expected: readonly number[]): void {
  const actual = Array.from(tensor?.dataSync() ?? []);
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 3);
  });
}
