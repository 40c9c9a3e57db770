import { describe, expect, test } from 'vitest';
import type { HostTensor } from '../../src-main/graph/types.ts';
import { compareAll, describe as describeResult } from './compare.ts';

const expected = { 'loss.total': floats([1]), 'grad.w': floats([2, -4]), 'act.proj_q.x1': maps(1) };

test('values within tolerance pass, and only the stored images of a map are compared', () => {
  const actual = {
    'loss.total': floats([1.00001]),
    'grad.w': floats([2.001, -4]), // 3e-4 of the largest value is allowed
    'act.proj_q.x1': maps(2),
  };
  expect(compareAll('file', expected, actual).passed).toBe(true);
});

test.each([
  ['a value too far off', { 'loss.total': floats([1.001]) }],
  ['no number', { 'loss.total': floats([NaN]) }],
  ['no number, then right ones', { 'grad.w': floats([NaN, -4]) }],
  ['another size', { 'grad.w': floats([2]) }],
])('%s fails', (_, changed) => {
  const result = compareAll('file', expected, { ...expected, ...changed });
  expect(result.passed).toBe(false);
  expect(describeResult(result)).toContain('OUT OF TOLERANCE');
});

test('a tensor that is not computed fails; an unknown group is named', () => {
  const more = { ...expected, 'grad.v': floats([1]), 'novel.x': floats([1]) };
  const result = compareAll('file', more, expected);
  expect(result.passed).toBe(false);
  expect(result.groups.find(({ group }) => group === 'grad')?.missing).toEqual(['grad.v']);
  expect(result.unknown).toEqual(['novel']);
});

describe('in half precision', () => {
  /** Scores of two prototypes at two pixels, and which of them are present. */
  const file = (second: number) => ({
    'score.k1': { ...floats([0.5, 0.6, 0.1, second]), shape: [1, 2, 1, 2] },
    'mask.k1': floats([1, second > 0.6 ? 1 : 0]),
    'loss.ctr_12': floats([second > 0.6 ? 2 : 1]),
  });

  test('a slot may fall either way at a tie, and what it decides is named', () => {
    const [want, have] = [file(0.599), file(0.601)];
    const result = compareAll('file', want, have, 'half');
    expect(result.passed).toBe(true);
    expect(result.undecided).toEqual(['mask.k1', 'loss.ctr_12']);
    expect(describeResult(result)).toContain('decided by ties');
    expect(compareAll('file', want, have).passed).toBe(false);
  });

  test('any other difference of the masks fails', () => {
    const want = file(0.5);
    const have = { ...want, 'mask.k1': floats([1, 1]) };
    expect(compareAll('file', want, have, 'half').passed).toBe(false);
  });
});

function floats(values: readonly number[]): HostTensor {
  return { shape: [values.length], dtype: 'float32', data: Float32Array.from(values) };
}

/** Feature maps `[images, 1, 1, 2]` of the same values for every image. */
function maps(images: number): HostTensor {
  const data = Float32Array.from({ length: 2 * images }, (_, i) => i % 2);
  return { shape: [images, 1, 1, 2], dtype: 'float32', data };
}
