import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as v from 'valibot';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../src-main/graph/types.ts';
import { compileFunction } from '../../../src-main/graph/compile.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { imagenetMean, imagenetStd } from '../../../src-main/nn/image-ops.ts';
import { augmentViews } from '../../../src-main/pretrain/augment.ts';
import { ofViews } from '../../../src-main/pretrain/two-views.ts';
import {
  augmentationSchema,
  createViewInputs,
  sampleViews,
  viewSpecs,
} from '../../../src-main/pretrain/views.ts';
import type { ViewInputs, ViewSize } from '../../../src-main/pretrain/views.ts';

import { cpu } from './tiny-run.ts';

const size: ViewSize = { batch: 2, tileSizePx: 24, cropSizePx: 16 };
const valid = [
  { heightPx: 24, widthPx: 24 },
  { heightPx: 10, widthPx: 20 },
];
const standard = v.parse(augmentationSchema, {});
const plain = v.parse(augmentationSchema, {
  minArea: 1,
  mirror: 0,
  colorJitter: 0,
  grayscale: 0,
  blur: [0, 0],
  solarize: [0, 0],
});

describe('sampled views', () => {
  it('depend on the generator alone', () => {
    const first = sampled(7);
    expect(sampled(7)).toEqual(first);
    expect(sampled(8)).not.toEqual(first);
  });

  it('read image pixels only, never padding, and weigh them to 1', () => {
    for (let seed = 0; seed < 20; seed++) {
      const inputs = sampled(seed);
      for (let index = 0; index < 4; index++) {
        const part = valid[index % 2];
        expectRows(inputs['views.rows'], index, part?.heightPx ?? 0);
        expectRows(inputs['views.columns'], index, part?.widthPx ?? 0);
      }
    }
  });

  it('overwrite what an earlier batch left behind', () => {
    const used = sampled(1);
    sampleViews(new Random(2), size, standard, valid, used);
    expect(used).toEqual(sampled(2));
  });
});

describe('augmented views', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it('are the resized, normalised image when nothing is drawn', () => {
    const level = 100;
    const images = tf.fill([2, 24, 24, 3], level);
    const crops = ofViews(augmentViews(images, tensors(sampled(3, plain))));
    for (const crop of crops) {
      expect(crop.shape).toEqual([2, 16, 16, 3]);
      const values = crop.dataSync();
      imagenetMean.forEach((mean, channel) => {
        const expected = (level / 255 - mean) / (imagenetStd[channel] ?? 1);
        expect(values[channel + 3 * 77]).toBeCloseTo(expected, 4);
      });
    }
  });

  it('differ between views and stay in the range of normalised pixels', () => {
    const random = new Random(1);
    const pixels = Array.from({ length: 2 * 24 * 24 * 3 }, () => random.integer(256));
    const images = tf.tensor4d(pixels, [2, 24, 24, 3]);
    const [first, second] = ofViews(augmentViews(images, tensors(sampled(4))));
    const values = [...first.dataSync(), ...second.dataSync()];
    expect(values.every((value) => value > -2.2 && value < 2.7)).toBe(true);
    expect(first.dataSync()).not.toEqual(second.dataSync());
  });

  it('are the same from the compiled graph as from plain operations', async () => {
    const random = new Random(1);
    const images = Uint8Array.from({ length: 2 * 24 * 24 * 3 }, () => random.integer(256));
    const inputs = sampled(6);
    const compiled = await compileFunction(
      (_, batch) => {
        const [first, second] = ofViews(augmentViews(defined(batch['images'], 'images'), batch));
        return { first, second };
      },
      {
        params: {},
        inputs: { images: { shape: [2, 24, 24, 3], dtype: 'uint8' }, ...viewSpecs(size) },
        device: cpu,
        label: 'augment',
      },
    );
    const crops = await compiled.run({}, { images, ...inputs });
    const plainCrops = augmentViews(tf.tensor4d([...images], [2, 24, 24, 3]), tensors(inputs));
    const [first, second] = ofViews(plainCrops);
    expectEqual(crops['first']?.data, first.dataSync());
    expectEqual(crops['second']?.data, second.dataSync());
    await compiled.dispose();
  });

  it('cut every image with its own windows', () => {
    const random = new Random(2);
    const images = Array.from({ length: 2 * 24 * 24 * 3 }, () => random.integer(256));
    const inputs = sampled(11, { ...plain, minArea: 0.1 });
    const crops = ofViews(augmentViews(tf.tensor4d(images, [2, 24, 24, 3]), tensors(inputs)));
    const weight = (name: 'views.rows' | 'views.columns', index: number, at: number): number =>
      inputs[name][index * size.cropSizePx * size.tileSizePx + at] ?? 0;
    crops.forEach((crop, view) => {
      for (const image of [0, 1]) {
        const [row, column, channel] = [5, 9, 1] as const;
        let value = 0;
        for (let y = 0; y < 24; y++) {
          for (let x = 0; x < 24; x++) {
            const factor =
              weight('views.rows', 2 * view + image, row * 24 + y) *
              weight('views.columns', 2 * view + image, column * 24 + x);
            value += factor * (images[((image * 24 + y) * 24 + x) * 3 + channel] ?? 0);
          }
        }
        const clipped = Math.min(Math.max(value, 0), 255) / 255;
        const expected = (clipped - imagenetMean[channel]) / imagenetStd[channel];
        const actual = crop.dataSync()[((image * 16 + row) * 16 + column) * 3 + channel];
        expect(actual).toBeCloseTo(expected, 4);
      }
    });
  });

  it('mirror a view and its coordinates together', () => {
    const mirrored = { ...plain, mirror: 1 };
    const ramp = Array.from({ length: 2 * 24 * 24 * 3 }, (_, i) => Math.floor(i / 3) % 24);
    const images = tf.tensor4d(ramp, [2, 24, 24, 3]);
    const [straight] = ofViews(augmentViews(images, tensors(sampled(5, plain))));
    const [turned] = ofViews(augmentViews(images, tensors(sampled(5, mirrored))));
    const difference = tf.max(tf.abs(tf.sub(tf.reverse(turned, 2), straight)));
    expect(difference.dataSync()[0]).toBeLessThan(1e-5);
    expect([...sampled(5, mirrored)['views.flip1']]).toEqual([1, 1]);
  });
});

function sampled(seed: number, config = standard): ViewInputs {
  const inputs = createViewInputs(size);
  sampleViews(new Random(seed), size, config, valid, inputs);
  return inputs;
}

function expectEqual(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>): void {
  const worst = Array.from(expected).reduce(
    (max, value, i) => Math.max(max, Math.abs(value - (actual?.[i] ?? NaN))),
    0,
  );
  expect(worst).toBeLessThan(1e-4);
}

function expectRows(matrix: Float32Array, index: number, validPx: number): void {
  const { cropSizePx, tileSizePx } = size;
  for (let row = 0; row < cropSizePx; row++) {
    const start = (index * cropSizePx + row) * tileSizePx;
    const weights = matrix.subarray(start, start + tileSizePx);
    expect(weights.subarray(validPx).every((weight) => weight === 0)).toBe(true);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
  }
}

function tensors(inputs: ViewInputs): NamedTensors {
  const specs = new Map(Object.entries(viewSpecs(size)));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, data]) => [
      name,
      tf.tensor(data, [...(specs.get(name)?.shape ?? [])]),
    ]),
  );
}
