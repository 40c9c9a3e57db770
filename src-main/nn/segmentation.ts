import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import {
  encoderChannels,
  encoderShape,
  type DecoderConfig,
  type SegmentationConfig,
} from './config.ts';
import { convolution } from './convolution.ts';
import { applyDecoder, initDecoder } from './decoder.ts';
import { fpnScores } from './fpn-scores.ts';
import { constant, named, normal } from './initialization.ts';
import type { Mode } from './mode.ts';
import { applyEncoder, initEncoder, type EncoderMaps } from './resnet.ts';
import { parameter } from './tensors.ts';
import { upsampleBilinear } from './upsample.ts';

/** Parameters `encoder.*`, `decoder.*` and `classifier.*` (1x1, normal with std 0.01, bias 0). */
export function segmentationParams(config: SegmentationConfig, random: Random): HostTensors {
  const shape = encoderShape(config.encoder);
  const features = config.decoder === 'none' ? encoderChannels(shape)[3] : config.decoderChannels;
  return {
    ...initEncoder(shape, 'encoder', random),
    ...initDecoder(singleLevel(config), 'decoder', random),
    ...named([
      ['classifier.weight', () => normal([config.classes, features, 1, 1], 0.01, random)],
      ['classifier.bias', () => constant([config.classes], 0)],
    ]),
  };
}

/**
 * Class scores `[batch, height, width, classes]` of normalized images `[batch, height, width, 3]`:
 * the decoder's finest map (p2 with the FPN, c5 without a decoder), a 1x1 classifier, bilinear
 * upsampling to the input's size. Sides must be multiples of 32.
 */
export function segmentationLogits(
  config: SegmentationConfig,
  params: NamedTensors,
  x: Tensor4D,
  mode: Mode,
): Tensor4D {
  const maps = applyEncoder(encoderShape(config.encoder), params, 'encoder', x, mode);
  const classifier = {
    weight: parameter(params, 'classifier.weight'),
    bias: parameter(params, 'classifier.bias'),
  };
  const scores =
    config.decoder === 'fpn'
      ? fpnScores(params, 'decoder', maps, classifier, mode)
      : tf.add<Tensor4D>(
          convolution(finestMap(config, params, maps, mode), classifier.weight),
          classifier.bias,
        );
  return upsampleBilinear(scores, [x.shape[1], x.shape[2]]);
}

function finestMap(
  config: SegmentationConfig,
  params: NamedTensors,
  maps: EncoderMaps,
  mode: Mode,
): Tensor4D {
  if (config.decoder === 'none') return maps.c5;
  return defined(applyDecoder(singleLevel(config), params, 'decoder', maps, mode)[0], 'features');
}

function singleLevel(config: SegmentationConfig): DecoderConfig {
  return { ...config, levels: 'single' };
}
