import { describe, expect, it } from 'vitest';
import {
  atLevel,
  filledPixels,
  outlinedPixels,
} from '../../../../src-renderer/screens/label/class-pixels.ts';
import { gridOf, notLabelled } from '../../../../src-renderer/screens/label/grid.ts';
import { paintSegment } from '../../../../src-renderer/screens/label/paint.ts';
import { TileStore } from '../../../../src-renderer/screens/label/tile-store.ts';

const grid = gridOf(600, 500);
const colors = new Uint32Array(256);
colors[3] = 0xff112233;
colors[4] = 0xff445566;

/** Class 3 in a disc over four tiles, class 4 in its lower half. */
async function disc(): Promise<TileStore> {
  const ignore = (): void => undefined;
  const load = () => Promise.resolve(new Map<number, Uint8Array>());
  const store = new TileStore({ grid, load, capacity: 9, onChange: ignore, onFault: ignore });
  await store.ensure([0, 1, 2, 3, 4, 5]);
  const at = { x: 260.5, y: 250.5 };
  paintSegment(grid, { from: at, to: at, radiusPx: 90 }, (row, from, to) =>
    store.fillSpan(row, from, to, row < 250 ? 3 : 4),
  );
  return store;
}

const whole = { left: 0, top: 0, right: 600, bottom: 500 };

describe('filledPixels', () => {
  it('shows each pixel in the color of its class at level 0', async () => {
    const store = await disc();
    const pixels = filledPixels(store, 0, whole, colors);
    for (let i = 0; i < pixels.length; i += 37) {
      const value = store.valueAt(i % 600, Math.floor(i / 600));
      expect(pixels[i]).toBe(value === notLabelled ? 0 : colors[value]);
    }
  });

  it.each([1, 2, 3, 4, 5, 6])('covers the same share of the image at level %i', async (level) => {
    const store = await disc();
    const rect = atLevel(whole, level);
    const pixels = filledPixels(store, level, rect, colors);
    const alpha = pixels.reduce((sum, word) => sum + (word >>> 24) / 255, 0);
    expect(alpha * 4 ** level).toBeCloseTo(Math.PI * 90 ** 2, level < 5 ? -3 : -4);
  });

  it('draws a part as it draws the whole', async () => {
    const store = await disc();
    const all = filledPixels(store, 2, atLevel(whole, 2), colors);
    const part = { left: 50, top: 40, right: 80, bottom: 70 };
    const pixels = filledPixels(store, 2, part, colors);
    for (let i = 0; i < pixels.length; i++) {
      const x = part.left + (i % 30);
      const y = part.top + Math.floor(i / 30);
      expect(pixels[i]).toBe(all[y * 150 + x]);
    }
  });
});

describe('outlinedPixels', () => {
  it.each([0, 2])('draws a closed line around each area at level %i', async (level) => {
    const store = await disc();
    const rect = atLevel(whole, level);
    const width = rect.right - rect.left;
    const pixels = outlinedPixels(store, level, rect, colors);
    const row = Math.floor(200 / 2 ** level);
    const line = pixels.subarray(row * width, (row + 1) * width);
    expect(line.filter((word) => word !== 0).length).toBeLessThanOrEqual(4);
    expect(line.filter((word) => word === colors[3]).length).toBeGreaterThanOrEqual(2);
    const share = pixels.filter((word) => word !== 0).length / pixels.length;
    expect(share).toBeLessThan(0.05);
  });
});
