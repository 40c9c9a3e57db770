import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src-main/lib/random.ts';
import { mirrored, overlapCoordinates, sampleBoxes } from '../../src-main/pretrain/boxes.ts';
import type { Box } from '../../src-main/pretrain/boxes.ts';
import { goldenNote, hasGoldens, readGoldenJson } from './golden.ts';

const quad = v.tuple([v.number(), v.number(), v.number(), v.number()]);
const cropsSchema = v.object({
  cases: v.array(
    v.object({
      box1: quad,
      box2: quad,
      coords1: quad,
      coords2: quad,
      flip1: v.boolean(),
      flip2: v.boolean(),
      coords1_out: quad,
      coords2_out: quad,
    }),
  ),
  statistics: v.record(v.string(), v.record(v.string(), v.number())),
});

describe.skipIf(!hasGoldens)(`view geometry${goldenNote}`, () => {
  const golden = hasGoldens
    ? v.parse(cropsSchema, readGoldenJson('crops.json'))
    : { cases: [], statistics: {} };

  it('gives the overlap coordinates of the reference, bit for bit', () => {
    for (const pair of golden.cases) {
      const [first, second] = [box(pair.box1), box(pair.box2)];
      const coords1 = overlapCoordinates(first, second);
      const coords2 = overlapCoordinates(second, first);
      expect(coords1).toEqual(pair.coords1);
      expect(coords2).toEqual(pair.coords2);
      expect(pair.flip1 ? mirrored(coords1) : coords1).toEqual(pair.coords1_out);
      expect(pair.flip2 ? mirrored(coords2) : coords2).toEqual(pair.coords2_out);
    }
  });

  it.each([
    [640, 480],
    [100, 700],
  ])('draws boxes with the statistics of the reference, %d x %d', (widthPx, heightPx) => {
    const expected = golden.statistics[`${widthPx}x${heightPx}`] ?? {};
    const random = new Random(5);
    const draws = Array.from({ length: 20_000 }, () =>
      sampleBoxes(random, { widthPx, heightPx }, 0.08),
    );
    const mean = (of: (first: Box, second: Box) => number): number =>
      draws.reduce((sum, [first, second]) => sum + of(first, second), 0) / draws.length;
    const area = (one: Box): number => (one.width * one.height) / (widthPx * heightPx);
    const logAspect = (one: Box): number => Math.log(one.width / one.height);

    expect(mean(area)).toBeCloseTo(expected['mean_area1'] ?? NaN, 2);
    expect(mean((_, second) => area(second))).toBeCloseTo(expected['mean_area2'] ?? NaN, 2);
    expect(mean(logAspect)).toBeCloseTo(expected['mean_log_aspect1'] ?? NaN, 2);
    const shares = mean((first, second) => overlapShare(second, first));
    expect(Math.abs(shares - (expected['mean_overlap_of_crop2'] ?? NaN))).toBeLessThan(0.015);
    const apart = mean((first, second) => (overlapShare(second, first) === 0 ? 1 : 0));
    expect(Math.abs(apart - (expected['frac_no_overlap'] ?? NaN))).toBeLessThan(0.02);
  });
});

function box([top, left, height, width]: readonly [number, number, number, number]): Box {
  return { top, left, height, width };
}

function overlapShare(one: Box, other: Box): number {
  const [x1, y1, x2, y2] = overlapCoordinates(one, other);
  return Math.max(x2 - x1, 0) * Math.max(y2 - y1, 0);
}
