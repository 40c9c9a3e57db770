import { expect, test } from 'vitest';
import { rescaleBands } from '../../../src-main/inference/rescale.ts';

/** Rows of `values` (`[height, width, 1]`) in bands of the given heights. */
async function* bandsOf(values: Float32Array, width: number, heights: readonly number[]) {
  let topPx = 0;
  for (const rows of heights) {
    const probabilities = values.slice(topPx * width, (topPx + rows) * width);
    yield await Promise.resolve({ topPx, rows, probabilities });
    topPx += rows;
  }
}

async function rescaled(heights: readonly number[], to: { widthPx: number; heightPx: number }) {
  const values = Float32Array.from({ length: 5 * 9 }, (_, i) => Math.sin(i));
  const from = { widthPx: 5, heightPx: 9 };
  const result = new Float32Array(to.widthPx * to.heightPx);
  let next = 0;
  const sizes = { from, to, classCount: 1 };
  for await (const band of rescaleBands(bandsOf(values, 5, heights), sizes, 4)) {
    expect(band.topPx).toBe(next);
    result.set(band.probabilities, next * to.widthPx);
    next += band.rows;
  }
  expect(next).toBe(to.heightPx);
  return { values, result };
}

test('does not depend on how the rows were cut into bands', async () => {
  const to = { widthPx: 13, heightPx: 31 };
  const { result } = await rescaled([9], to);
  for (const heights of [
    [1, 1, 1, 1, 1, 1, 1, 1, 1],
    [4, 5],
    [7, 2],
  ]) {
    expect((await rescaled(heights, to)).result).toEqual(result);
  }
});

test('keeps pixels as they are at the same size and averages neighbours between them', async () => {
  const same = await rescaled([4, 5], { widthPx: 5, heightPx: 9 });
  expect(same.result).toEqual(same.values);
  const { values, result } = await rescaled([4, 5], { widthPx: 10, heightPx: 18 });
  // The second of ten columns lies a quarter of the way from the first to the second of five.
  expect(result[1]).toBeCloseTo(0.75 * (values[0] ?? 0) + 0.25 * (values[1] ?? 0), 5);
  expect(result[0]).toBeCloseTo(values[0] ?? 0, 6);
});
