import { describe, expect, it } from 'vitest';
import { parseFinetuneConfig } from '../../../src-main/finetune/config.ts';
import {
  createCropSampler,
  type CropPlan,
  cropMask,
  type LabelledTiles,
} from '../../../src-main/finetune/sampler.ts';

const tilePx = 64;

/** Ten tiles of class 0; tile 7 has a 2x2 spot of class 1 at (20, 30), and 255 beyond 48 rows. */
function spottedTiles(): LabelledTiles {
  const masks = Array.from({ length: 10 }, (_, index) => {
    const mask = new Uint8Array(tilePx ** 2);
    mask.fill(255, 48 * tilePx);
    if (index === 7) for (const at of [0, 1, 64, 65]) mask[20 * tilePx + 30 + at] = 1;
    return mask;
  });
  return {
    count: masks.length,
    tileSizePx: tilePx,
    tile: (index) => ({
      widthPx: tilePx,
      heightPx: 48,
      classPixels: index === 7 ? [64 * 48 - 4, 4] : [64 * 48, 0],
    }),
    readMasks: (indices, target) => {
      indices.forEach((index, i) => target.set(masks[index] ?? [], i * tilePx ** 2));
    },
  };
}

const config = parseFinetuneConfig({ batch: 10, cropPx: 32, tilePx, seed: 3 });

function maskOf(tiles: LabelledTiles, plan: CropPlan): Uint8Array {
  const tile = new Uint8Array(tilePx ** 2);
  tiles.readMasks([plan.tile], tile);
  const mask = new Uint8Array(32 * 32);
  cropMask(tile, plan, mask, { offset: 0, cropPx: 32 });
  return mask;
}

describe('createCropSampler', () => {
  it('plans the same crops for the same seed and step, in any order', () => {
    const first = createCropSampler(spottedTiles(), config);
    const forward = [0, 1, 2, 3].map((step) => first.crops(step));
    const resumed = createCropSampler(spottedTiles(), config);
    expect(resumed.crops(3)).toEqual(forward[3]);
    expect(resumed.crops(1)).toEqual(forward[1]);
    const other = createCropSampler(spottedTiles(), { ...config, seed: 4 });
    expect(other.crops(3)).not.toEqual(forward[3]);
  });

  it('shows a class of 4 pixels in 31,000 in about a quarter of the crops', () => {
    const tiles = spottedTiles();
    const sampler = createCropSampler(tiles, config);
    const plans = Array.from({ length: 40 }, (_, step) => sampler.crops(step)).flat();
    const withSpot = plans.filter((plan) => maskOf(tiles, plan).includes(1)).length;
    expect(withSpot / plans.length).toBeGreaterThan(0.2);
    expect(withSpot / plans.length).toBeLessThan(0.4);
  });

  it('takes every tile once per pass when crops are not class-aware', () => {
    const sampler = createCropSampler(spottedTiles(), { ...config, classAwareShare: 0 });
    for (const step of [0, 5]) {
      const tiles = sampler.crops(step).map((plan) => plan.tile);
      expect([...tiles].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('keeps windows inside the picture and shows all of an axis that is too short', () => {
    const sampler = createCropSampler(spottedTiles(), config);
    for (const plan of Array.from({ length: 20 }, (_, step) => sampler.crops(step)).flat()) {
      for (const [axis, sizePx] of [
        [plan.rows, 48],
        [plan.columns, 64],
      ] as const) {
        expect(axis.start).toBeGreaterThanOrEqual(0);
        expect(axis.start + axis.length).toBeLessThanOrEqual(sizePx);
        expect(axis.first + axis.count).toBeLessThanOrEqual(32);
        if (axis.count < 32) expect(axis.length).toBe(sizePx);
      }
    }
  });
});

describe('cropMask', () => {
  const tile = Uint8Array.from({ length: 16 }, (_, i) => i);
  const whole = { start: 0, length: 4, first: 0, count: 4, mirrored: false };
  const plan: CropPlan = {
    tile: 0,
    rows: whole,
    columns: whole,
    transposed: false,
    brightness: 1,
    contrast: 1,
    saturation: 1,
    hue: 0,
  };
  const crop = (changes: Partial<CropPlan>): number[] => {
    const target = new Uint8Array(16);
    cropMask(tile, { ...plan, ...changes }, target, { offset: 0, cropPx: 4 });
    return [...target];
  };

  it('mirrors, turns, zooms and marks the outside', () => {
    expect(crop({})).toEqual([...tile]);
    expect(crop({ columns: { ...whole, mirrored: true } }).slice(0, 4)).toEqual([3, 2, 1, 0]);
    expect(crop({ transposed: true }).slice(0, 4)).toEqual([0, 4, 8, 12]);
    expect(crop({ rows: { ...whole, start: 1, length: 2 } })).toEqual(
      [4, 4, 8, 8].flatMap((row) => [row, row + 1, row + 2, row + 3]),
    );
    expect(crop({ rows: { ...whole, first: 1, count: 2 } }).slice(0, 8)).toEqual([
      255, 255, 255, 255, 4, 5, 6, 7,
    ]);
  });
});
