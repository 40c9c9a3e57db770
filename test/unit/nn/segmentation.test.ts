import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import type { NamedTensors } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { encoderShape, type SegmentationConfig } from '../../../src-main/nn/config.ts';
import { convolution } from '../../../src-main/nn/convolution.ts';
import { applyFpn } from '../../../src-main/nn/fpn.ts';
import { INFERENCE } from '../../../src-main/nn/mode.ts';
import { gradientsOf } from '../../../src-main/nn/objective.ts';
import { segmentationLogits, segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { nextStatistics, type BatchStatistics } from '../../../src-main/nn/running-statistics.ts';
import { applyEncoder } from '../../../src-main/nn/resnet.ts';
import { parameter } from '../../../src-main/nn/tensors.ts';
import { upsampleBilinear } from '../../../src-main/nn/upsample.ts';
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

test.each([
  { taps: 'fewer than', decoderChannels: 32 },
  { taps: 'more than', decoderChannels: 6 },
])(
  'prediction with $taps the channels of the pyramid: as layer by layer',
  ({ decoderChannels }) => {
    const shape = { ...config, decoderChannels };
    const state = segmentationParams(shape, new Random(1));
    const params = Object.fromEntries(
      Object.entries(asTensors(state)).map(([name, tensor], i) => [
        name,
        // Statistics, shifts and scores away from 0 and 1, where a mistake would not show.
        name.endsWith('running_var') || /norm|bn|classifier/u.test(name)
          ? tf.add(tf.abs(tf.reshape(randomTensor([tensor.size], i), tensor.shape)), 0.2)
          : tensor,
      ]),
    );
    const images = randomTensor([2, 64, 32, 3], 2);
    const encoded = applyEncoder(encoderShape(shape.encoder), params, 'encoder', images, INFERENCE);
    const [finest] = applyFpn('single', params, 'decoder', encoded, INFERENCE);
    const expected = upsampleBilinear(
      tf.add(
        convolution(defined(finest, 'p2'), parameter(params, 'classifier.weight')),
        parameter(params, 'classifier.bias'),
      ),
      [64, 32],
    );
    const scores = segmentationLogits(shape, params, images, INFERENCE);
    const scale = tf.max(tf.abs(expected)).dataSync()[0] ?? 0;
    expect(scale).toBeGreaterThan(0.1);
    const error = tf.max(tf.abs(tf.sub(scores, expected))).dataSync()[0] ?? Infinity;
    expect(error / scale).toBeLessThan(1e-5);
  },
);

test('every parameter gets a gradient and every running statistic moves', () => {
  const state = asTensors(segmentationParams(config, new Random(1)));
  const isStatistic = (name: string): boolean => name.includes('.running_');
  const params: NamedTensors = Object.fromEntries(
    Object.entries(state).filter(([name]) => !isStatistic(name)),
  );
  const { grads, side } = gradientsOf(params, () => {
    const images = randomTensor([2, 32, 32, 3], 2);
    const statistics: BatchStatistics[] = [];
    const logits = segmentationLogits(config, state, images, { training: true, statistics });
    return { loss: tf.mean(tf.square(logits)), side: nextStatistics(state, statistics) };
  });
  expect(Object.keys(grads)).toEqual(Object.keys(params));
  expect(Object.keys(side).toSorted()).toEqual(Object.keys(state).filter(isStatistic).toSorted());
  for (const [name, after] of Object.entries(side)) {
    expect(after.dataSync(), name).not.toEqual(state[name]?.dataSync());
  }
});
