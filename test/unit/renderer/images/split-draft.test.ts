import { expect, test } from 'vitest';
import type { Grouping } from '../../../../src-main/contract/import.ts';
import { clicked, withShare } from '../../../../src-renderer/screens/images/import/split-draft.ts';

const piece = (position: number, where: 'name' | 'folder' = 'name') => ({
  text: 'x',
  where,
  position,
});
const range = (from: number, to: number): Grouping => ({ type: 'pieces', where: 'name', from, to });

test('clicks choose, extend and shrink a run of pieces', () => {
  expect(clicked({ type: 'none' }, piece(1))).toEqual(range(1, 1));
  expect(clicked(range(1, 1), piece(2))).toEqual(range(1, 2));
  expect(clicked(range(1, 2), piece(0))).toEqual(range(0, 2));
  expect(clicked(range(0, 2), piece(2))).toEqual(range(0, 1));
  expect(clicked(range(0, 1), piece(0))).toEqual(range(1, 1));
  expect(clicked(range(0, 1), piece(4))).toEqual(range(4, 4));
  expect(clicked(range(0, 1), piece(0, 'folder'))).toMatchObject({ where: 'folder', from: 0 });
});

test('shares always add up and leave something to learn from', () => {
  let shares = { train: 0.7, val: 0.15, test: 0.15 };
  for (const [name, percent] of [
    ['test', 50],
    ['val', 50],
    ['test', 0],
    ['val', 35],
  ] as const) {
    shares = withShare(shares, name, percent);
    expect(shares.train + shares.val + shares.test).toBeCloseTo(1, 10);
    expect(shares.train).toBeGreaterThanOrEqual(0.05 - 1e-9);
  }
});
