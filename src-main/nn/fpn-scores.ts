import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { BATCH_NORM_EPSILON, runningScale } from './batch-norm.ts';
import { convolution } from './convolution.ts';
import { applyFpn, doubled, mergedMaps } from './fpn.ts';
import type { Mode } from './mode.ts';
import type { EncoderMaps } from './resnet.ts';
import { convolutionMoments, correlate } from './second-moments.ts';
import { matrix, parameter, rank4 } from './tensors.ts';

/** A 1x1 convolution: weight `[classes, channels, 1, 1]`, bias `[classes]`. */
export interface Classifier {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** A convolution with the batch norm behind it: `[out, in * kh * kw]`, and a shift `[out]`. */
interface AffineMap {
  readonly weight: Tensor2D;
  readonly shift: Tensor;
}

/** A map and what it adds to its level of the pyramid: weight `[channels, inputs]`. */
interface PyramidInput extends AffineMap {
  readonly map: Tensor4D;
}

/**
 * Class scores `[batch, height, width, classes]` at p2's size: what `applyFpn` and a 1x1 classifier
 * give.
 *
 * Between the encoder and the scores of such a network stands nothing but sums, so it is evaluated
 * in the order that costs least (`affineScores`). In training, norms need the statistics of maps that
 * are not made then; those of the two largest follow from second moments of narrower and coarser maps
 * (`trainingScores`) wherever that is less work.
 */
export function fpnScores(
  params: NamedTensors,
  prefix: string,
  maps: EncoderMaps,
  classifier: Classifier,
  mode: Mode,
): Tensor4D {
  if (!mode.training) {
    const inputs = ([5, 4, 3, 2] as const).map((level) => ({
      map: maps[`c${level}`],
      ...foldedNorm(params, `${prefix}.fpn_lateral${level}`),
    }));
    return affineScores(inputs, foldedNorm(params, `${prefix}.fpn_output2`), classifier);
  }
  const channels = parameter(params, `${prefix}.fpn_output2.weight`).shape[0] ?? 0;
  if (mode.isHalf !== true && momentsAreCheaper(maps.c2, channels)) {
    return trainingScores(params, prefix, maps, classifier, mode);
  }
  const [finest] = applyFpn('single', params, prefix, maps, mode);
  return tf.add(convolution(defined(finest, 'p2'), classifier.weight), classifier.bias);
}

/**
 * Scores of merged inputs, coarsest first, each twice the size of the one before.
 *
 * Classifier and 3x3 convolution become one of `classes` outputs. Where its nine taps of every class
 * are fewer than the pyramid's channels, the taps take the place of the channels: each level is
 * multiplied by taps x lateral weights, and the last convolution only moves every tap to its pixel.
 * For 12 classes, 256 channels and ResNet-18 that is a thirtieth of the multiplications. Products of
 * weights are constants of an exported model.
 */
function affineScores(
  inputs: readonly PyramidInput[],
  output: AffineMap,
  classifier: Classifier,
): Tensor4D {
  const classes = classifier.weight.shape[0] ?? 0;
  const channels = output.shift.size;
  const classWeights = matrix(classifier.weight, [classes, channels]);
  const kernel = tf.reshape<tf.Rank.R4>(
    tf.matMul(classWeights, matrix(output.weight, [channels, channels * 9])),
    [classes, channels, 3, 3],
  );
  const shift = tf.add(
    classifier.bias,
    tf.reshape(tf.matMul(classWeights, matrix(output.shift, [channels, 1])), [-1]),
  );
  const taps = 9 * classes;
  const mixed = (laterals: Tensor2D): Tensor2D =>
    taps < channels
      ? tf.matMul(matrix(tf.transpose(kernel, [2, 3, 0, 1]), [taps, channels]), laterals)
      : laterals;
  let merged: Tensor4D | undefined;
  for (const { map, weight, shift: own } of inputs) {
    const added = tf.add<Tensor4D>(
      convolution(map, tf.expandDims(tf.expandDims(mixed(weight), 2), 3)),
      tf.reshape(mixed(matrix(own, [channels, 1])), [-1]),
    );
    merged = merged === undefined ? added : tf.add(added, doubled(merged));
  }
  const last = taps < channels ? tapMover(classes) : kernel;
  return tf.add(convolution(defined(merged, 'merged'), last), shift);
}

/**
 * Scores with the norms of the batch. The levels down to t3 are evaluated as they stand. Of level 2
 * neither the lateral map nor p2 is made: with centered c2, the lateral norm's variance is that of a
 * product with the covariance of c2's channels, and p2's mean and variance are `convolutionMoments`.
 */
function trainingScores(
  params: NamedTensors,
  prefix: string,
  maps: EncoderMaps,
  classifier: Classifier,
  mode: Mode,
): Tensor4D {
  const [lateralName, outputName] = [`${prefix}.fpn_lateral2`, `${prefix}.fpn_output2`];
  const count = maps.c2.size / maps.c2.shape[3];
  const channelMeans = tf.mean(maps.c2, [0, 1, 2]);
  const fine = tf.sub<Tensor4D>(maps.c2, channelMeans);
  const t3 = defined(mergedMaps(params, prefix, maps, mode, { finest: 3 }).get(3), 't3');
  // The shift of the lateral norm is the same for all pixels; the coarser map carries it.
  const coarse = tf.add<Tensor4D>(t3, parameter(params, `${lateralName}.norm.bias`));
  const correlations = correlate({ fine, coarse });
  const lateralWeight = matrix(parameter(params, `${lateralName}.weight`), [-1, fine.shape[3]]);
  const covariance = tf.div(defined(correlations.fine[0], 'sums of products'), count);
  const lateral = normedMap(params, lateralName, mode, {
    mean: tf.reshape(tf.matMul(lateralWeight, matrix(channelMeans, [-1, 1])), [-1]),
    variance: tf.sum(tf.mul(tf.matMul(lateralWeight, covariance), lateralWeight), 1),
    count,
  });
  const { sum, squares } = convolutionMoments(
    { fine, coarse },
    correlations,
    lateral.weight,
    parameter(params, `${outputName}.weight`),
  );
  const mean = tf.div(sum, count);
  const output = normedMap(params, outputName, mode, {
    ...{ mean, count },
    variance: tf.sub(tf.div(squares, count), tf.square(mean)),
  });
  const channels = output.shift.size;
  const nothing = tf.zeros([channels]);
  return affineScores(
    [
      { map: coarse, weight: tf.eye(channels), shift: nothing },
      { map: fine, weight: lateral.weight, shift: nothing },
    ],
    output,
    classifier,
  );
}

/** A convolution and its batch norm with the given statistics `[out]` of the convolution's outputs. */
function normedMap(
  params: NamedTensors,
  name: string,
  mode: Mode,
  {
    mean,
    variance,
    count,
  }: { readonly mean: Tensor; readonly variance: Tensor; readonly count: number },
): AffineMap {
  mode.statistics?.push({ prefix: `${name}.norm`, batches: 1, mean, variance, count });
  const gain = parameter(params, `${name}.norm.weight`);
  const scale = tf.mul(gain, tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON)));
  return scaled(params, name, scale, mean);
}

/** A convolution and its batch norm with the running statistics. */
function foldedNorm(params: NamedTensors, name: string): AffineMap {
  const scale = runningScale(params, `${name}.norm`);
  return scaled(params, name, scale, parameter(params, `${name}.norm.running_mean`));
}

function scaled(params: NamedTensors, name: string, scale: Tensor, mean: Tensor): AffineMap {
  const weight = parameter(params, `${name}.weight`);
  const [outputs = 0] = weight.shape;
  return {
    weight: tf.mul(matrix(weight, [outputs, -1]), tf.reshape(scale, [outputs, 1])),
    shift: tf.sub(parameter(params, `${name}.norm.bias`), tf.mul(mean, scale)),
  };
}

/**
 * Compares multiplications of a whole step: three times nine taps a pixel of c2 for the convolution
 * itself; for the moments five products of the joined channels in a quarter of the pixels and nine in
 * its gradient, and the filter's own products.
 */
function momentsAreCheaper(c2: Tensor4D, channels: number): boolean {
  const pixels = c2.size / c2.shape[3];
  const joined = 4 * c2.shape[3] + channels;
  const direct = 27 * channels ** 2 * pixels;
  const moments = ((5 + 9) / 4) * joined ** 2 * pixels + 3 * 41 * channels ** 3;
  return moments < direct && c2.shape[1] % 2 === 0 && c2.shape[2] % 2 === 0;
}

/** `[classes, 9 * classes, 3, 3]`: adds tap (i, j) of every class at distance (i - 1, j - 1). */
function tapMover(classes: number): Tensor4D {
  const taps = 9 * classes;
  return rank4(tf.transpose(tf.reshape(tf.eye(taps), [3, 3, classes, taps]), [2, 3, 0, 1]));
}
