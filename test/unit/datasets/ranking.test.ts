import { expect, test } from 'vitest';
import { farthestFirst, standardize } from '../../../src-main/datasets/ranking.ts';

const line = [0, 1, 2, 3, 10].map((x) => Float32Array.of(x));

test('each pick is as far as possible from what is known and was picked before', () => {
  const picks = farthestFirst(line, [Float32Array.of(0)], 3);
  expect(picks).toEqual([
    { index: 4, distance: 10 },
    { index: 3, distance: 3 },
    { index: 1, distance: 1 },
  ]);
});

test('with nothing known it begins with the most typical one', () => {
  expect(farthestFirst(line, [], 9).map(({ index }) => index)).toEqual([3, 4, 0, 1, 2]);
  expect(farthestFirst([], [], 3)).toEqual([]);
});

test('equal points are all picked, once', () => {
  const same = [1, 1, 1].map((x) => Float32Array.of(x));
  expect(farthestFirst(same, [], 3).map(({ index }) => index)).toEqual([0, 1, 2]);
});

test('features without variation say nothing', () => {
  const points = [Float32Array.of(1, 5), Float32Array.of(3, 5)];
  standardize(points);
  expect(points).toEqual([Float32Array.of(-1, 0), Float32Array.of(1, 0)]);
});
