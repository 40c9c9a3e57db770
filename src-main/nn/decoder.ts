import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors } from '../graph/types.ts';
import { assertNever } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { encoderChannels, encoderShape, type DecoderConfig } from './config.ts';
import { applyFcn, initFcn } from './fcn.ts';
import { applyFpn, initFpn, type ChannelDropout } from './fpn.ts';
import type { Mode } from './mode.ts';
import type { EncoderMaps } from './resnet.ts';

/** Parameters of the configured decoder; none without one. */
export function initDecoder(config: DecoderConfig, prefix: string, random: Random): HostTensors {
  const inputs = encoderChannels(encoderShape(config.encoder));
  const channels = config.decoderChannels;
  switch (config.decoder) {
    case 'none':
      return {};
    case 'fcn':
      return initFcn({ inputs: inputs[3], channels }, prefix, random);
    case 'fpn':
      return initFpn({ inputs, channels, levels: config.levels }, prefix, random);
    default:
      return assertNever(config.decoder);
  }
}

/** The decoder's outputs, finest first; empty without a decoder. */
export function applyDecoder(
  config: DecoderConfig,
  params: NamedTensors,
  prefix: string,
  maps: EncoderMaps,
  mode: Mode,
  dropout?: ChannelDropout,
): readonly Tensor4D[] {
  switch (config.decoder) {
    case 'none':
      return [];
    case 'fcn':
      return [applyFcn(config.fcnForm, params, prefix, maps.c5, mode)];
    case 'fpn':
      return applyFpn(config.levels, params, prefix, maps, mode, dropout);
    default:
      return assertNever(config.decoder);
  }
}
