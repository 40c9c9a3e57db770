import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { nextStatistics, type BatchStatistics } from '../../../src-main/nn/running-statistics.ts';
import { together } from '../../../src-main/nn/together.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A batch norm's call; numbers are those of its batches, one after another. */
function call(prefix: string, numbers: readonly number[], count: number | Tensor): BatchStatistics {
  const batches = numbers.length;
  const column = tf.tensor2d([...numbers], [batches, 1]);
  return { prefix, batches, mean: column, variance: tf.mul(column, 2), count };
}

const params = Object.fromEntries(
  ['a', 'b', 'c'].flatMap((prefix) => [
    [`${prefix}.running_mean`, tf.tensor1d([1])],
    [`${prefix}.running_var`, tf.tensor1d([1])],
  ]),
);

test('running statistics move by a tenth towards every batch, layer by layer', () => {
  const seen = [
    call('a', [2, 4], 5), // both at once
    call('b', [2], 5), // one after the other
    call('c', [3], 3),
    call('b', [4], 5),
    call('c', [7], 1), // too few
  ];
  const next = nextStatistics(params, seen);
  const after = (targets: readonly number[]) =>
    targets.reduce((running, target) => running + 0.1 * (target - running), 1);
  const unbiased = 5 / 4;
  const expected = {
    'a.running_mean': after([2, 4]),
    'a.running_var': after([4 * unbiased, 8 * unbiased]),
    'b.running_mean': after([2, 4]),
    'b.running_var': after([4 * unbiased, 8 * unbiased]),
    'c.running_mean': after([3]),
    'c.running_var': after([6 * 1.5]),
  };
  expect(Object.keys(next).toSorted()).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) {
    expect(next[name]?.dataSync()[0], name).toBeCloseTo(value, 5);
  }
});

test('a count that the step decides leaves out what is too little', () => {
  const next = nextStatistics(params, [
    call('a', [2], tf.scalar(1)),
    call('a', [4], tf.scalar(2)),
    call('b', [4], 2),
  ]);
  expect(next['a.running_mean']?.dataSync()[0]).toBeCloseTo(1.3, 5);
  expect(next['a.running_var']?.dataSync()[0]).toBeCloseTo(1 + 0.1 * (16 - 1), 5);
  expect(next['b.running_var']?.dataSync()[0]).toBeCloseTo(1 + 0.1 * (16 - 1), 5);
});

test('nothing seen, nothing moves', () => {
  expect(nextStatistics(params, [])).toEqual({});
});

test('many tensors are worked on as one and come back apart', () => {
  const items = [
    [tf.tensor1d([1, 2]), tf.tensor2d([[1, 1], [2, 2]])], // prettier-ignore
    [tf.tensor1d([3]), tf.tensor2d([[3], [4]])],
  ];
  const sums: Tensor[] = [];
  const parts = together(items, (...[first, second]) => {
    if (first === undefined || second === undefined) throw new Error('Two tensors are given.');
    sums.push(first);
    return [tf.add(first, tf.sum(second, 0)), tf.neg(first)];
  });
  expect(sums).toHaveLength(1);
  expect(parts.map((list) => list.map((part) => [...part.dataSync()]))).toEqual([
    [[4, 5], [-1, -2]], // prettier-ignore
    [[10], [-3]],
  ]);
});
