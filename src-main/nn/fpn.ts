import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { batchNorm } from './batch-norm.ts';
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
  const merged = mergedMaps(params, prefix, maps, mode, { dropout });
  return outputLevels(levels).map((level) =>
    normed(
      defined(merged.get(level), 'level of the pyramid'),
      params,
      `${prefix}.fpn_output${level}`,
      mode,
    ),
  );
}

/** The maps t5, t4, ... by level, down to level `finest`. */
export function mergedMaps(
  params: NamedTensors,
  prefix: string,
  maps: EncoderMaps,
  mode: Mode,
  {
    dropout,
    finest = 2,
  }: { readonly dropout?: ChannelDropout | undefined; readonly finest?: number } = {},
): ReadonlyMap<number, Tensor4D> {
  let coarser = normed(maps.c5, params, `${prefix}.fpn_lateral5`, mode);
  const merged = new Map([[5, coarser]]);
  for (const level of DROPPED_LEVELS.filter((n) => n >= finest)) {
    const mask = dropout?.masks[level];
    const drop = (x: Tensor4D, site: ChannelDropout['site']): Tensor4D =>
      mask === undefined || dropout?.site !== site ? x : dropChannels(x, mask);
    const input = drop(maps[`c${level}`], 'before-lateral');
    const own = normed(input, params, `${prefix}.fpn_lateral${level}`, mode);
    coarser = tf.add(drop(own, 'after-lateral'), doubled(coarser));
    merged.set(level, coarser);
  }
  return merged;
}

function normed(x: Tensor4D, params: NamedTensors, name: string, mode: Mode): Tensor4D {
  return batchNorm(
    convolution(x, parameter(params, `${name}.weight`)),
    params,
    `${name}.norm`,
    mode,
  );
}

/** Levels with an output convolution: single-level mode keeps only p2's (spec 6.2). */
function outputLevels(levels: PyramidLevels): readonly number[] {
  return levels === 'multi' ? [2, 3, 4, 5] : [2];
}

/** Nearest neighbour, factor 2. Its gradient is a sum over 2x2 pixels; tfjs's own is wrong on `cpu`. */
export function doubled(x: Tensor4D): Tensor4D {
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
