import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import type { NamedTensors } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';
import type { SegmentationConfig } from '../../../src-main/nn/config.ts';
import { gradientsOf } from '../../../src-main/nn/objective.ts';
import { segmentationLogits, segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { asTensors, randomTensor } from './support.ts';

beforeAll(() => tf.setBackend('cpu'));

const config: SegmentationConfig = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 4 },
  decoder: 'fpn',
  decoderChannels: 6,
  fcnForm: 'cityscapes',
  classes: 3,
};

test.each(['none', 'fcn', 'fpn'] as const)(
  'decoder %s: scores have the size of the image',
  (decoder) => {
    const params = asTensors(segmentationParams({ ...config, decoder }, new Random(1)));
    const images = randomTensor([2, 32, 64, 3], 2);
    const logits = segmentationLogits({ ...config, decoder }, params, images, { training: false });
    expect(logits.shape).toEqual([2, 32, 64, 3]);
  },
);

test('every parameter gets a gradient and every running statistic moves', () => {
  const state = asTensors(segmentationParams(config, new Random(1)));
  const isStatistic = (name: string): boolean => name.includes('.running_');
  const params: NamedTensors = Object.fromEntries(
    Object.entries(state).filter(([name]) => !isStatistic(name)),
  );
  const updates = new Map<string, tf.Tensor>();
  const { grads, side } = gradientsOf(params, () => {
    const images = randomTensor([2, 32, 32, 3], 2);
    const logits = segmentationLogits(config, state, images, { training: true, updates });
    return { loss: tf.mean(tf.square(logits)), side: Object.fromEntries(updates) };
  });
  expect(Object.keys(grads)).toEqual(Object.keys(params));
  expect(Object.keys(side).toSorted()).toEqual(Object.keys(state).filter(isStatistic).toSorted());
  for (const [name, after] of Object.entries(side)) {
    expect(after.dataSync(), name).not.toEqual(state[name]?.dataSync());
  }
});
