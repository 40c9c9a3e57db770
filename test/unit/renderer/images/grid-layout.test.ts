import { describe, expect, test } from 'vitest';
import {
  gapPx,
  gridLayout,
  mostRows,
  movedByKey,
  paddingPx,
  rowOfSlot,
  rowTop,
  scrollToShow,
  shownRows,
} from '../../../../src-renderer/screens/images/grid-layout.ts';

const heightPx = 700;
const layout = gridLayout(100_000, 1000, 150);

describe('the layout', () => {
  test('has as many columns as fit, and fills the width', () => {
    const { columns, cellPx } = layout;
    const used = columns * cellPx + (columns - 1) * gapPx + 2 * paddingPx;
    expect(columns).toBe(6);
    expect(1000 - used).toBeLessThan(columns);
    expect(gridLayout(10, 40, 150).columns).toBe(1);
  });

  test('has a last row that may be short, and none without images', () => {
    expect(layout.rows).toBe(Math.ceil(100_000 / 6));
    expect(gridLayout(0, 1000, 150)).toMatchObject({ rows: 0 });
  });
});

describe('the rows shown', () => {
  test('cover the window and one more on each side', () => {
    const { first, end } = shownRows(layout, 50_000, heightPx);
    expect(rowTop(layout, first + 1)).toBeLessThanOrEqual(50_000);
    expect(rowTop(layout, end - 1)).toBeGreaterThanOrEqual(50_000 + heightPx - layout.rowPx);
    expect(end - first).toBeLessThanOrEqual(mostRows(layout, heightPx));
  });

  test('end with the list', () => {
    expect(shownRows(layout, 0, heightPx).first).toBe(0);
    expect(shownRows(layout, layout.totalPx, heightPx).end).toBe(layout.rows);
    expect(shownRows(gridLayout(0, 1000, 150), 0, heightPx)).toEqual({ first: 0, end: 0 });
  });

  test('keep their slot while they are shown', () => {
    const slots = 5;
    const rows = (first: number): number[] =>
      [0, 1, 2, 3, 4].map((slot) => rowOfSlot(slot, first, slots));
    expect(rows(0)).toEqual([0, 1, 2, 3, 4]);
    expect(rows(2)).toEqual([5, 6, 2, 3, 4]);
    expect(rows(13)).toEqual([15, 16, 17, 13, 14]);
  });
});

describe('showing a cell', () => {
  test('moves no further than needed', () => {
    const inSight = 3 * layout.columns;
    const top = rowTop(layout, 2);
    expect(scrollToShow(layout, inSight, top, heightPx)).toBe(top);
    expect(scrollToShow(layout, 0, top, heightPx)).toBe(0);
    const last = scrollToShow(layout, 99_999, 0, heightPx);
    expect(last).toBe(layout.totalPx - heightPx);
  });
});

describe('keys', () => {
  const move = (index: number, key: string): number | undefined =>
    movedByKey(layout, index, key, heightPx);

  test('move by cells, rows, windows and to the ends', () => {
    expect(move(10, 'ArrowRight')).toBe(11);
    expect(move(10, 'ArrowLeft')).toBe(9);
    expect(move(10, 'ArrowDown')).toBe(16);
    expect(move(10, 'ArrowUp')).toBe(4);
    expect(move(100, 'PageDown')).toBe(100 + 3 * 6);
    expect(move(10, 'Home')).toBe(0);
    expect(move(10, 'End')).toBe(99_999);
    expect(move(10, 'x')).toBeUndefined();
  });

  test('stop at the ends', () => {
    expect(move(3, 'ArrowUp')).toBe(3);
    expect(move(0, 'ArrowLeft')).toBe(0);
    expect(move(99_999, 'ArrowDown')).toBe(99_999);
    expect(move(99_995, 'ArrowDown')).toBe(99_999);
    expect(move(3, 'PageUp')).toBe(0);
  });
});
