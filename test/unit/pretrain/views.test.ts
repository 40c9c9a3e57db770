import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as v from 'valibot';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { imagenetMean, imagenetStd } from '../../../src-main/nn/image-ops.ts';
import { augmentViews } from '../../../src-main/pretrain/augment.ts';
import {
  augmentationSchema,
  createViewInputs,
  sampleViews,
  viewSpecs,
} from '../../../src-main/pretrain/views.ts';
import type { ViewInputs, ViewSize } from '../../../src-main/pretrain/views.ts';

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
    const crops = augmentViews(images, tensors(sampled(3, plain)));
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
    const [first, second] = augmentViews(images, tensors(sampled(4)));
    const values = [...first.dataSync(), ...second.dataSync()];
    expect(values.every((value) => value > -2.2 && value < 2.7)).toBe(true);
    expect(first.dataSync()).not.toEqual(second.dataSync());
  });

  it('mirror a view and its coordinates together', () => {
    const mirrored = { ...plain, mirror: 1 };
    const ramp = Array.from({ length: 2 * 24 * 24 * 3 }, (_, i) => Math.floor(i / 3) % 24);
    const images = tf.tensor4d(ramp, [2, 24, 24, 3]);
    const straight = augmentViews(images, tensors(sampled(5, plain)))[0];
    const turned = augmentViews(images, tensors(sampled(5, mirrored)))[0];
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
