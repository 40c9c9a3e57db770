import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { batchNorm, runningScale } from './batch-norm.ts';
import type { PyramidLevels } from './config.ts';
import { convolution } from './convolution.ts';
import { withGradient } from './custom-gradient.ts';
import { batchNormTensors, kaimingUniform, named } from './initialization.ts';
import type { Mode } from './mode.ts';
import type { EncoderMaps } from './resnet.ts';
import { parameter, rank4 } from './tensors.ts';

/** Encoder levels whose lateral connection can be dropped. */
export const DROPPED_LEVELS = [4, 3, 2] as const;

/** Channel dropout of one forward pass: masks `[batch, channels]` of 0 or 1 / (1 - p). */
export interface ChannelDropout {
  readonly site: 'after-lateral' | 'before-lateral';
  readonly masks: Readonly<Record<(typeof DROPPED_LEVELS)[number], Tensor>>;
}

export interface FpnShape {
  /** Of c2..c5. */
  readonly inputs: readonly [number, number, number, number];
  readonly channels: number;
  readonly levels: PyramidLevels;
}

/**
 * Feature pyramid with detectron2's names; a convolution without bias and a batch norm each.
 * Kaiming uniform with a = 1 ("c2_xavier_fill", spec 6.2).
 */
export function initFpn(shape: FpnShape, prefix: string, random: Random): HostTensors {
  const convolutions = [
    ...shape.inputs.map((inputs, i) => ({ name: `fpn_lateral${i + 2}`, inputs, kernel: 1 })),
    ...outputLevels(shape.levels).map((level) => ({
      name: `fpn_output${level}`,
      inputs: shape.channels,
      kernel: 3,
    })),
  ];
  return named(
    convolutions.flatMap(({ name, inputs, kernel }) => [
      [
        `${prefix}.${name}.weight`,
        () => kaimingUniform([shape.channels, inputs, kernel, kernel], 1, random),
      ],
      ...batchNormTensors(`${prefix}.${name}.norm`, shape.channels),
    ]),
  );
}

/**
 * The pyramid's outputs, finest first: p2, or p2..p5.
 *
 *     t5 = BN(conv1x1(c5));  t_l = drop(BN(conv1x1(c_l))) + up2(t_{l+1});  p_l = BN(conv3x3(t_l))
 */
export function applyFpn(
  levels: PyramidLevels,
  params: NamedTensors,
  prefix: string,
  maps: EncoderMaps,
  mode: Mode,
  dropout?: ChannelDropout,
): readonly Tensor4D[] {
  const normed = (x: Tensor4D, name: string): Tensor4D =>
    batchNorm(
      convolution(x, parameter(params, `${prefix}.${name}.weight`)),
      params,
      `${prefix}.${name}.norm`,
      mode,
    );
  let coarser = normed(maps.c5, 'fpn_lateral5');
  const merged = new Map([[5, coarser]]);
  for (const level of DROPPED_LEVELS) {
    const mask = dropout?.masks[level];
    const drop = (x: Tensor4D, site: ChannelDropout['site']): Tensor4D =>
      mask === undefined || dropout?.site !== site ? x : dropChannels(x, mask);
    const input = drop(maps[`c${level}`], 'before-lateral');
    const lateral = drop(normed(input, `fpn_lateral${level}`), 'after-lateral');
    coarser = tf.add(lateral, doubled(coarser));
    merged.set(level, coarser);
  }
  return outputLevels(levels).map((level) => {
    const map = merged.get(level);
    if (map === undefined) throw new Error(`The pyramid has no level ${level}.`);
    return normed(map, `fpn_output${level}`);
  });
}

/**
 * Class scores `[batch, height, width, classes]` at p2's size, for running statistics: what
 * `applyFpn` and a 1x1 classifier with `weight` `[classes, channels, 1, 1]` and `bias` give.
 *
 * Between the encoder and the scores of such a network stands nothing but sums, so it is evaluated
 * in the order that costs least. Classifier and 3x3 convolution become one of `classes` outputs.
 * Where its nine taps of every class are fewer than the pyramid's channels, the taps take the place
 * of the channels: each level is multiplied by taps x lateral weights, and the last convolution
 * only moves every tap to its pixel. For 12 classes, 256 channels and ResNet-18 that is a thirtieth
 * of the multiplications. Products of weights are constants of an exported model.
 */
export function fpnScores(
  params: NamedTensors,
  prefix: string,
  maps: EncoderMaps,
  classifier: { readonly weight: Tensor; readonly bias: Tensor },
): Tensor4D {
  const output = foldedNorm(params, `${prefix}.fpn_output2`);
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
  for (const level of [5, 4, 3, 2] as const) {
    const lateral = foldedNorm(params, `${prefix}.fpn_lateral${level}`);
    const own = tf.add<Tensor4D>(
      convolution(maps[`c${level}`], tf.expandDims(tf.expandDims(mixed(lateral.weight), 2), 3)),
      tf.reshape(mixed(matrix(lateral.shift, [channels, 1])), [-1]),
    );
    merged = merged === undefined ? own : tf.add(own, doubled(merged));
  }
  const last = taps < channels ? tapMover(classes) : kernel;
  return tf.add(convolution(defined(merged, 'merged'), last), shift);
}

/** Convolution and batch norm of running statistics as one: `[out, in * kh * kw]` and a shift. */
function foldedNorm(
  params: NamedTensors,
  name: string,
): { readonly weight: Tensor2D; readonly shift: Tensor } {
  const norm = (part: string): Tensor => parameter(params, `${name}.norm.${part}`);
  const scale = runningScale(params, `${name}.norm`);
  const weight = parameter(params, `${name}.weight`);
  const [outputs = 0] = weight.shape;
  return {
    weight: tf.mul(matrix(weight, [outputs, -1]), tf.reshape(scale, [outputs, 1])),
    shift: tf.sub(norm('bias'), tf.mul(norm('running_mean'), scale)),
  };
}

function matrix(tensor: Tensor, shape: [number, number]): Tensor2D {
  return tf.reshape<tf.Rank.R2>(tensor, shape);
}

/** `[classes, 9 * classes, 3, 3]`: adds tap (i, j) of every class at distance (i - 1, j - 1). */
function tapMover(classes: number): Tensor4D {
  const taps = 9 * classes;
  return rank4(tf.transpose(tf.reshape(tf.eye(taps), [3, 3, classes, taps]), [2, 3, 0, 1]));
}

/** Levels with an output convolution: single-level mode keeps only p2's (spec 6.2). */
function outputLevels(levels: PyramidLevels): readonly number[] {
  return levels === 'multi' ? [2, 3, 4, 5] : [2];
}

/** Nearest neighbour, factor 2. Its gradient is a sum over 2x2 pixels; tfjs's own is wrong on `cpu`. */
function doubled(x: Tensor4D): Tensor4D {
  const result = withGradient(
    [x],
    () => ({
      value: tf.image.resizeNearestNeighbor(x, [2 * x.shape[1], 2 * x.shape[2]]),
      saved: [] as const,
    }),
    (dy) => [tf.mul(tf.avgPool(rank4(dy), 2, 2, 'valid'), 4)],
  );
  return rank4(result);
}

function dropChannels(x: Tensor4D, mask: Tensor): Tensor4D {
  return tf.mul(x, tf.reshape(mask, [x.shape[0], 1, 1, x.shape[3]]));
}
