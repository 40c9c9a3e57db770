import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import type { NamedTensors } from '../../../src-main/graph/types.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { convolution } from '../../../src-main/nn/convolution.ts';
import { fpnScores } from '../../../src-main/nn/fpn-scores.ts';
import { applyFpn, initFpn } from '../../../src-main/nn/fpn.ts';
import type { Mode } from '../../../src-main/nn/mode.ts';
import { gradientsOf } from '../../../src-main/nn/objective.ts';
import type { EncoderMaps } from '../../../src-main/nn/resnet.ts';
import { nextStatistics, type BatchStatistics } from '../../../src-main/nn/running-statistics.ts';
import { convolutionMoments, correlate } from '../../../src-main/nn/second-moments.ts';
import { parameter, rank2, rank4 } from '../../../src-main/nn/tensors.ts';
import { asTensors, randomTensor } from './support.ts';

beforeAll(() => tf.setBackend('cpu'));

const channels = 24;
const widths = [5, 6, 7, 8] as const;

/** A pyramid with norms away from 1 and 0, a classifier, and maps with means away from 0. */
function example(classes: number): NamedTensors {
  const fpn = asTensors(
    initFpn({ inputs: widths, channels, levels: 'single' }, 'fpn', new Random(3)),
  );
  const norms = Object.entries(fpn)
    .filter(([name]) => name.includes('norm'))
    .map(([name, { shape }], i): [string, Tensor] => [
      name,
      tf.add(tf.abs(tf.reshape(randomTensor([channels], i), shape)), 0.2),
    ]);
  const maps = widths.map((width, i): [string, Tensor] => [
    `c${i + 2}`,
    tf.relu(tf.add(randomTensor([2, 8 / 2 ** i, 16 / 2 ** i, width], 20 + i), 0.5)),
  ]);
  return {
    ...fpn,
    ...Object.fromEntries([...norms, ...maps]),
    weight: randomTensor([classes, channels, 1, 1], 5),
    bias: randomTensor([classes], 6),
  };
}

type Scores = (tensors: NamedTensors, maps: EncoderMaps, mode: Mode) => Tensor4D;

const layerByLayer: Scores = (tensors, maps, mode) => {
  const [finest] = applyFpn('single', tensors, 'fpn', maps, mode);
  const scores = convolution(defined(finest, 'p2'), parameter(tensors, 'weight'));
  return tf.add(scores, parameter(tensors, 'bias'));
};

const bySums: Scores = (tensors, maps, mode) => {
  const [weight, bias] = [parameter(tensors, 'weight'), parameter(tensors, 'bias')];
  return fpnScores(tensors, 'fpn', maps, { weight, bias }, mode);
};

/** Scores, the next running statistics, and gradients in all parameters and maps. */
function outcome(scores: Scores, tensors: NamedTensors): NamedTensors {
  const moved = Object.fromEntries(
    Object.entries(tensors).filter(([name]) => !name.includes('running')),
  );
  const { grads, side } = gradientsOf(moved, () => {
    const map = (name: string) => rank4(parameter(tensors, name));
    const [c2, c3, c4, c5] = [map('c2'), map('c3'), map('c4'), map('c5')];
    const statistics: BatchStatistics[] = [];
    const values = scores(tensors, { stem: c2, c2, c3, c4, c5 }, { training: true, statistics });
    const direction = rank4(tf.reshape(randomTensor([values.size], 9), values.shape));
    const loss = tf.sum<Tensor>(tf.mul(values, direction));
    return { loss: tf.reshape(loss, []), side: { values, ...nextStatistics(tensors, statistics) } };
  });
  const named = Object.entries(grads).map(([name, tensor]): [string, Tensor] => [
    `gradient of ${name}`,
    tensor,
  ]);
  return { ...side, ...Object.fromEntries(named) };
}

test.each([
  { taps: 'fewer than', classes: 2 },
  { taps: 'more than', classes: 4 },
])('training with $taps the channels: as layer by layer', ({ classes }) => {
  const tensors = example(classes);
  const expected = outcome(layerByLayer, tensors);
  const actual = outcome(bySums, tensors);
  expect(Object.keys(actual).toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const [name, tensor] of Object.entries(expected)) {
    const scale = largest(tensor);
    expect(scale, name).toBeGreaterThan(1e-2);
    expect(largest(tf.sub(parameter(actual, name), tensor)) / scale, name).toBeLessThan(3e-6);
  }
});

test('the moments of a convolution are sums over its outputs', () => {
  const fine = randomTensor([2, 6, 4, 3], 1);
  const weight = rank2(tf.reshape(randomTensor([15], 2), [5, 3]));
  const coarse = tf.add<Tensor4D>(randomTensor([2, 3, 2, 5], 3), 0.3);
  const filter = randomTensor([4, 5, 3, 3], 4);
  const doubled = tf.image.resizeNearestNeighbor(coarse, [6, 4]);
  const merged = tf.add<Tensor4D>(convolution(fine, tf.reshape(weight, [5, 3, 1, 1])), doubled);
  const outputs = convolution(merged, filter);
  const parts = { fine, coarse };
  const { sum, squares } = convolutionMoments(parts, correlate(parts), weight, filter);
  expect(largest(tf.sub(sum, tf.sum(outputs, [0, 1, 2])))).toBeLessThan(1e-4);
  const expected = tf.sum(tf.square(outputs), [0, 1, 2]);
  expect(largest(tf.div(tf.sub(squares, expected), expected))).toBeLessThan(2e-6);
});

function largest(tensor: Tensor): number {
  return tf.max(tf.abs(tensor)).dataSync()[0] ?? NaN;
}
