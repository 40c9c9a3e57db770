import { describe, expect, test } from 'vitest';
import { CancelledError } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import {
  memoryReader,
  planAxis,
  predictBands,
  predictImage,
  type RgbImage,
  type TilePredictor,
} from '../../../src-main/inference/tiles.ts';
import { rednessPredictor } from './tiny.ts';

function noise(widthPx: number, heightPx: number, seed = 1): RgbImage {
  const random = new Random(seed);
  const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, () => random.integer(256));
  return { data, widthPx, heightPx };
}

describe('planAxis', () => {
  test.each([
    [100, 32, 8],
    [32, 32, 8],
    [33, 32, 16],
    [10, 32, 8],
    [1000, 64, 0],
    [1, 16, 4],
  ])(
    'covers %i px by tiles of %i with overlap %i and weights that sum to 1',
    (length, tile, overlap) => {
      const plan = planAxis(length, tile, overlap);
      const sums = new Float64Array(Math.max(length, tile));
      plan.starts.forEach((start, i) =>
        plan.weights[i]?.forEach((weight, k) => {
          expect(weight).toBeGreaterThan(0);
          sums[start + k] = (sums[start + k] ?? 0) + weight;
        }),
      );
      for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
      expect(plan.starts[0]).toBe(0);
      expect((plan.starts.at(-1) ?? 0) + tile).toBe(Math.max(length, tile));
      for (let i = 1; i < plan.starts.length; i++) {
        expect((plan.starts[i - 1] ?? 0) + tile - (plan.starts[i] ?? 0)).toBeGreaterThanOrEqual(
          overlap,
        );
      }
    },
  );
});

describe('predictBands', () => {
  test.each([
    [70, 90],
    [16, 16],
    [9, 5],
    [7, 60],
    [61, 3],
  ])('blends tiles of a %i x %i picture back to the per-pixel answer', async (width, height) => {
    const image = noise(width, height);
    const { probabilities, classMap } = await predictImage(rednessPredictor(16, 3), image, {
      probabilities: true,
    });
    for (let i = 0; i < width * height; i++) {
      const red = (image.data[i * 3] ?? 0) / 255;
      expect(probabilities?.[2 * i + 1]).toBeCloseTo(red, 5);
      expect(classMap[i]).toBe(red > 0.5 ? 1 : 0);
    }
  });

  test('hands out every row once, in order, with the picture beside it', async () => {
    const image = noise(40, 75);
    let next = 0;
    for await (const band of predictBands(rednessPredictor(16), memoryReader(image))) {
      expect(band.topPx).toBe(next);
      expect(band.rgb).toEqual(image.data.subarray(next * 120, (next + band.rows) * 120));
      expect(band.probabilities.length).toBe(band.rows * 40 * 2);
      next += band.rows;
    }
    expect(next).toBe(75);
  });

  test('blends disagreeing tiles smoothly: no step at a tile border', async () => {
    let call = 0;
    const alternating: TilePredictor = {
      ...rednessPredictor(16, 1),
      predict: () => Promise.resolve(new Float32Array(16 * 16 * 2).fill(call++ % 2)),
    };
    const image = noise(56, 16);
    const { probabilities } = await predictImage(alternating, image, {
      probabilities: true,
      overlapPx: 8,
    });
    for (let x = 1; x < 56; x++) {
      const step = (probabilities?.[2 * x] ?? 0) - (probabilities?.[2 * x - 2] ?? 0);
      expect(Math.abs(step)).toBeLessThan(0.25);
    }
  });

  test('counts tiles, stops when cancelled and refuses an impossible overlap', async () => {
    const seen: number[] = [];
    const cancel = new AbortController();
    await predictImage(rednessPredictor(16), noise(30, 30), {
      onTiles: (done, total) => seen.push(done / total),
    });
    expect(seen.at(-1)).toBe(1);
    cancel.abort();
    await expect(
      predictImage(rednessPredictor(16), noise(30, 30), { signal: cancel.signal }),
    ).rejects.toThrow(CancelledError);
    await expect(
      predictImage(rednessPredictor(16), noise(30, 30), { overlapPx: 12 }),
    ).rejects.toThrow('cannot overlap by 12 px');
  });
});
