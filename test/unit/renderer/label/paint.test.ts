import { describe, expect, it } from 'vitest';
import { fillPolygon } from '../../../../src-main/datasets/rasterize.ts';
import {
  paintPolygon,
  paintSegment,
  type Segment,
} from '../../../../src-renderer/screens/label/paint.ts';
import { painter } from './painter.ts';

const canvas = { widthPx: 40, heightPx: 30 };

function painted(segment: Segment): Set<number> {
  const target = painter(canvas);
  paintSegment(canvas, segment, target.paint);
  return target.pixels;
}

/** Pixels whose centre is at most `radiusPx` from the segment. */
function expected({ from, to, radiusPx }: Segment): Set<number> {
  const pixels = new Set<number>();
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  for (let row = 0; row < canvas.heightPx; row++) {
    for (let column = 0; column < canvas.widthPx; column++) {
      const [x, y] = [column + 0.5, row + 0.5];
      const along = (x - from.x) * (to.x - from.x) + (y - from.y) * (to.y - from.y);
      const share = length === 0 ? 0 : Math.min(1, Math.max(0, along / length ** 2));
      const nearX = from.x + share * (to.x - from.x);
      const nearY = from.y + share * (to.y - from.y);
      const distance = Math.hypot(x - nearX, y - nearY);
      if (distance <= radiusPx) pixels.add(row * canvas.widthPx + column);
    }
  }
  return pixels;
}

describe('paintSegment', () => {
  const segments: readonly Segment[] = [
    { from: { x: 12.3, y: 9.7 }, to: { x: 12.3, y: 9.7 }, radiusPx: 4.25 },
    { from: { x: 5.1, y: 5.2 }, to: { x: 30.6, y: 20.9 }, radiusPx: 3.4 },
    { from: { x: 30.2, y: 4.1 }, to: { x: 8.7, y: 25.3 }, radiusPx: 1.7 },
    { from: { x: 10.05, y: 3 }, to: { x: 10.05, y: 27 }, radiusPx: 2.6 },
    { from: { x: -8, y: 12 }, to: { x: 60, y: 14 }, radiusPx: 5.3 },
  ];
  it.each(segments)('paints the pixels near $from to $to', (segment) => {
    expect(painted(segment)).toEqual(expected(segment));
  });

  it('leaves one pixel for the finest dab, wherever it falls', () => {
    for (const at of [
      { x: 7, y: 7 },
      { x: 7.5, y: 7.5 },
      { x: 7.99, y: 7.01 },
    ]) {
      expect(painted({ from: at, to: at, radiusPx: 0.1 }).size).toBe(1);
    }
  });

  it('leaves no gap in a thin line', () => {
    const pixels = painted({ from: { x: 2.2, y: 3.1 }, to: { x: 37.4, y: 26.8 }, radiusPx: 0.5 });
    for (let column = 3; column < 37; column++) {
      const isHit = [...pixels].some((pixel) => pixel % canvas.widthPx === column);
      expect(isHit, `column ${column}`).toBe(true);
    }
  });

  it.each(segments)('paints only what is new after $from', (segment) => {
    const dab = painted({ ...segment, to: segment.from });
    const rest = painted({ ...segment, isContinued: true });
    expect(new Set([...dab, ...rest])).toEqual(painted(segment));
    expect([...rest].some((pixel) => dab.has(pixel))).toBe(false);
  });

  it('works in proportion to the brush, not to the image', () => {
    const huge = { widthPx: 1_000_000, heightPx: 1_000_000 };
    const at = { x: 500_000.5, y: 500_000.5 };
    let [spans, pixels] = [0, 0];
    paintSegment(huge, { from: at, to: at, radiusPx: 10 }, (_, from, to) => {
      spans++;
      pixels += to - from;
    });
    expect(spans).toBeLessThanOrEqual(21);
    expect(pixels).toBeCloseTo(Math.PI * 100, -1);
  });
});

describe('paintPolygon', () => {
  it('paints what datasets/ paints for the same corners', () => {
    const outlines = [
      [3, 2, 30.5, 4.25, 22, 27.75, 6.1, 20],
      [5, 5, 35, 25, 5, 25, 35, 5],
      [-10, -10, 60, 10, 20, 50],
    ];
    for (const outline of outlines) {
      const ours = painter(canvas);
      const corners = Array.from({ length: outline.length / 2 }, (_, i) => ({
        x: outline[i * 2] ?? 0,
        y: outline[i * 2 + 1] ?? 0,
      }));
      paintPolygon(canvas, corners, ours.paint);
      const theirs = new Set<number>();
      fillPolygon(canvas, outline, (from, to) => {
        for (let pixel = from; pixel < to; pixel++) theirs.add(pixel);
      });
      expect(ours.pixels).toEqual(theirs);
    }
  });

  it('paints nothing for two corners', () => {
    const target = painter(canvas);
    paintPolygon(
      canvas,
      [
        { x: 1, y: 1 },
        { x: 9, y: 9 },
      ],
      target.paint,
    );
    expect(target.pixels.size).toBe(0);
  });
});
