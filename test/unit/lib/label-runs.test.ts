import { expect, test } from 'vitest';
import {
  countRuns,
  decodeRuns,
  encodeRuns,
  labelTilePx,
  replaceInRuns,
  runsFromText,
  runsToText,
  tileGrid,
  tileSize,
  uniformRuns,
} from '../../../src-main/lib/label-runs.ts';
import { Random } from '../../../src-main/lib/random.ts';

/** Tiles of every kind: noise, stripes, blobs, uniform ones. */
function randomTile(random: Random, count: number): Uint8Array {
  const values = 1 + random.integer(255);
  const longest = 1 + random.integer(random.integer(2) === 0 ? 3 : 40_000);
  const pixels = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const length = 1 + random.integer(longest);
    pixels.fill(random.integer(values + 1), at, Math.min(count, at + length));
    at += length;
  }
  return pixels;
}

test('tiles come back from runs and text as they were', () => {
  const random = new Random(1);
  for (let i = 0; i < 100; i++) {
    const pixels = randomTile(random, 1 + random.integer(labelTilePx ** 2));
    const runs = encodeRuns(pixels);
    expect(runsFromText(runsToText(runs))).toEqual(runs);
    expect(Buffer.compare(decodeRuns(runs, pixels.length), pixels)).toBe(0);
    const counts = new Map<number, number>();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    expect(countRuns(runs, pixels.length)).toEqual(counts);
  }
});

test('a uniform tile takes a few bytes, and the worst tile two a pixel', () => {
  const count = labelTilePx ** 2;
  expect(uniformRuns(7, count)).toEqual(encodeRuns(new Uint8Array(count).fill(7)));
  expect(uniformRuns(7, count)).toHaveLength(4);
  const worst = Uint8Array.from({ length: count }, (_, i) => i % 2);
  expect(encodeRuns(worst)).toHaveLength(2 * count);
});

test('values are replaced and equal neighbors joined', () => {
  const pixels = Uint8Array.of(1, 1, 255, 2, 255, 255);
  const filled = replaceInRuns(encodeRuns(pixels), (value) => (value === 255 ? 2 : value));
  expect(filled).toEqual(encodeRuns(Uint8Array.of(1, 1, 2, 2, 2, 2)));
});

test('runs that do not fit a tile are refused', () => {
  const runs = uniformRuns(1, 100);
  expect(() => decodeRuns(runs, 99)).toThrow(RangeError);
  expect(() => decodeRuns(runs, 101)).toThrow(RangeError);
  expect(() => countRuns(runs, 101)).toThrow(RangeError);
  expect(() => decodeRuns(runs.slice(0, 1), 100)).toThrow(RangeError);
  expect(() => decodeRuns(Uint8Array.of(1, 255, 255, 255, 255, 255, 255), 9)).toThrow(RangeError);
});

test('tiles at the border are cut off', () => {
  const image = { widthPx: 600, heightPx: 256 };
  expect(tileGrid(image)).toEqual({ columns: 3, rows: 1 });
  expect(tileSize(image, 1, 0)).toEqual({ widthPx: 256, heightPx: 256 });
  expect(tileSize(image, 2, 0)).toEqual({ widthPx: 88, heightPx: 256 });
});
