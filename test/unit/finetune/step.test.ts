import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FinetuneConfig, parseFinetuneConfig } from '../../../src-main/finetune/config.ts';
import { createCropSampler } from '../../../src-main/finetune/sampler.ts';
import {
  augmentCrops,
  createBatch,
  fillBatch,
  finetuneBatchSpecs,
  type TrainingTiles,
} from '../../../src-main/finetune/step.ts';
import type { NamedTensors } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { imagenetMean, imagenetStd } from '../../../src-main/nn/image-ops.ts';

const tilePx = 64;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Two tiles of smooth random blobs: class 1 is bright (200), class 0 dark (50); 60x40 are valid. */
function blobTiles(): TrainingTiles {
  const random = new Random(11);
  const masks = Array.from({ length: 2 }, () => {
    const blobs = Array.from({ length: 5 }, () => [random.uniform(0, 60), random.uniform(0, 40)]);
    return Uint8Array.from({ length: tilePx ** 2 }, (_, at) => {
      const [x, y] = [at % tilePx, Math.floor(at / tilePx)];
      if (x >= 60 || y >= 40) return 255;
      return blobs.some(([bx = 0, by = 0]) => Math.hypot(x - bx, y - by) < 9) ? 1 : 0;
    });
  });
  const images = masks.map((mask) =>
    Uint8Array.from({ length: mask.length * 3 }, (_, i) => {
      const label = mask[Math.floor(i / 3)];
      return label === 255 ? 0 : label === 1 ? 200 : 50;
    }),
  );
  const count = (mask: Uint8Array, label: number): number =>
    mask.filter((value) => value === label).length;
  return {
    count: 2,
    tileSizePx: tilePx,
    tile: (i) => {
      const mask = masks[i] ?? new Uint8Array();
      return { widthPx: 60, heightPx: 40, classPixels: [count(mask, 0), count(mask, 1)] };
    },
    readMasks: (indices, target) =>
      indices.forEach((index, i) => target.set(masks[index] ?? [], i * tilePx ** 2)),
    readImages: (indices, target) =>
      indices.forEach((index, i) => target.set(images[index] ?? [], i * tilePx ** 2 * 3)),
  };
}

function crops(config: FinetuneConfig, step: number) {
  const tiles = blobTiles();
  const batch = createBatch(config);
  fillBatch(tiles, createCropSampler(tiles, config).crops(step), batch);
  const { optimizer, pretrainedOptimizer, ...specs } = finetuneBatchSpecs(config);
  expect(pretrainedOptimizer).toEqual(optimizer);
  const data: Record<string, ArrayLike<number>> = batch;
  const inputs: NamedTensors = Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => [
      name,
      tf.tensor(Float32Array.from(data[name] ?? []), [...shape]),
    ]),
  );
  return { batch, output: augmentCrops(inputs, config.augmentation.quarterTurns) };
}

describe('augmentCrops', () => {
  const settings = { batch: 6, cropPx: 32, tilePx, seed: 5 };
  const plain = { brightness: 0, contrast: 0, saturation: 0, hue: 0 };

  it('keeps image and mask on each other under zoom, mirroring and turns', () => {
    const config = parseFinetuneConfig({
      ...settings,
      augmentation: { ...plain, quarterTurns: true, scale: [0.4, 2] },
    });
    for (const step of [0, 1, 2]) {
      const { batch, output } = crops(config, step);
      const red = tf.slice(output, [0, 0, 0, 0], [-1, -1, -1, 1]).dataSync();
      const [mean, std] = [imagenetMean[0], imagenetStd[0]];
      let wrong = 0;
      let labelled = 0;
      batch.masks.forEach((label, i) => {
        if (label === 255) return;
        labelled++;
        const level = 255 * ((red[i] ?? 0) * std + mean);
        if (level > 125 !== (label === 1)) wrong++;
      });
      expect(labelled).toBeGreaterThan(1000);
      expect(wrong / labelled).toBeLessThan(0.03); // pixels on a border, mixed by the resampling
    }
  });

  it('continues the picture beside its border and marks it 255', () => {
    const config = parseFinetuneConfig({
      ...settings,
      augmentation: { ...plain, scale: [0.5, 0.5] },
    });
    const { batch, output } = crops(config, 0);
    expect(batch.masks.includes(255)).toBe(true);
    const darkest = (50 / 255 - imagenetMean[0]) / imagenetStd[0];
    const red = tf.slice(output, [0, 0, 0, 0], [-1, -1, -1, 1]).dataSync();
    expect(Math.min(...red)).toBeGreaterThan(darkest - 1e-3); // no black padding anywhere
  });

  it('changes colours, not shapes, by the colour settings', () => {
    const shape = { quarterTurns: false, scale: [1, 1] satisfies [number, number] };
    const same = crops(
      parseFinetuneConfig({ ...settings, augmentation: { ...plain, ...shape } }),
      0,
    );
    const colored = crops(parseFinetuneConfig({ ...settings, augmentation: shape }), 0);
    expect([...colored.batch.masks]).toEqual([...same.batch.masks]);
    const difference = tf.max(tf.abs(tf.sub(colored.output, same.output))).dataSync()[0];
    expect(difference).toBeGreaterThan(0.05);
  });
});
