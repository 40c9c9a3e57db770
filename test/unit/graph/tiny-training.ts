import * as tf from '@tensorflow/tfjs-core';
import type {
  HostTensor,
  HostTensors,
  NamedTensors,
  TensorSpec,
} from '../../../src-main/graph/types.ts';
import { sizeOf } from '../../../src-main/graph/shapes.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { batchNorm } from '../../../src-main/nn/batch-norm.ts';
import { convolution } from '../../../src-main/nn/convolution.ts';
import { gradientsOf } from '../../../src-main/nn/objective.ts';
import { initOptimizer, optimizerUpdate } from '../../../src-main/nn/optimizers.ts';
import { nextStatistics, type BatchStatistics } from '../../../src-main/nn/running-statistics.ts';
import { rank2, rank4 } from '../../../src-main/nn/tensors.ts';
import { upsampleBilinear } from '../../../src-main/nn/upsample.ts';

/** Channels of the first layer, and classes: 6 and 9 are the numbers that WebGPU once misread. */
const [width, classes, sizePx] = [6, 9, 12];

/**
 * A whole training step in small: bytes in, convolution with batch norm, pooling, a second
 * convolution with stride, upsampling, cross-entropy, all gradients and SGD with momentum.
 */
export function trainingStep(state: NamedTensors, batch: NamedTensors) {
  const params = Object.fromEntries(
    Object.keys(shapes).map((name) => [name, defined(state[name], name)]),
  );
  const { grads, side } = gradientsOf(params, () => {
    const seen: BatchStatistics[] = [];
    const logits = network(state, defined(batch['images'], 'images'), seen);
    const loss = crossEntropy(logits, defined(batch['labels'], 'labels'));
    return { loss, side: { ...nextStatistics(state, seen), loss } };
  });
  const { loss, ...statistics } = side;
  const next = optimizerUpdate('sgd', params, grads, state, {
    weightDecay: 1e-3,
    scalars: defined(batch['optimizer'], 'optimizer'),
  });
  return {
    state: { ...state, ...next.params, ...next.buffers, ...statistics },
    outputs: { loss: defined(loss, 'loss') },
  };
}

function network(params: NamedTensors, images: tf.Tensor, statistics: BatchStatistics[]) {
  const weight = (name: string) => defined(params[name], name);
  const mode = { training: true, statistics };
  const x = rank4(tf.sub(tf.div(images, 127.5), 1));
  const first = tf.relu(batchNorm(convolution(x, weight('conv1.weight')), params, 'bn1', mode));
  const pooled = tf.maxPool(first, 3, 2, 'same');
  const second = convolution(pooled, weight('conv2.weight'), { stride: 2 });
  const mapped = convolution(tf.relu(second), weight('classifier.weight'));
  return upsampleBilinear(mapped, [sizePx, sizePx]);
}

function crossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const rows = rank2(tf.reshape(logits, [-1, classes]));
  const targets = tf.oneHot(tf.cast(tf.reshape(labels, [-1]), 'int32'), classes);
  return tf.neg(tf.mean(tf.sum(tf.mul(tf.cast(targets, 'float32'), tf.logSoftmax(rows)), 1)));
}

const shapes: Readonly<Record<string, readonly number[]>> = {
  'conv1.weight': [width, 3, 3, 3],
  'bn1.weight': [width],
  'bn1.bias': [width],
  'conv2.weight': [8, width, 3, 3],
  'classifier.weight': [classes, 8, 1, 1],
};

/** The start of a training: parameters, running statistics and momentum. */
export function trainingState(): HostTensors {
  const random = new Random(3);
  const params = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      filled(shape, () => (name === 'bn1.weight' ? 1 : random.uniform(-0.4, 0.4))),
    ]),
  );
  return {
    ...params,
    ...initOptimizer('sgd', params),
    'bn1.running_mean': filled([width], () => 0),
    'bn1.running_var': filled([width], () => 1),
  };
}

function filled(shape: readonly number[], value: () => number): HostTensor {
  const data = Float32Array.from({ length: sizeOf(shape) }, value);
  return { shape, dtype: 'float32', data };
}

const specs = {
  images: { shape: [2, sizePx, sizePx, 3], dtype: 'uint8' },
  labels: { shape: [2, sizePx, sizePx], dtype: 'int32' },
  optimizer: { shape: [3], dtype: 'float32' },
} satisfies Record<string, TensorSpec>;

export const trainingBatch = {
  specs,
  data: (step: number) => {
    const random = new Random(step);
    const images = Uint8Array.from({ length: sizeOf(specs.images.shape) }, () =>
      random.uniform(0, 256),
    );
    const labels = Int32Array.from({ length: sizeOf(specs.labels.shape) }, () =>
      random.uniform(0, classes),
    );
    return { images, labels, optimizer: Float32Array.of(0.1, 1, 1) };
  },
};
