import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors, StepFunction, TensorSpec } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import { encoderChannels, encoderShape } from '../nn/config.ts';
import { DROPPED_LEVELS, type ChannelDropout } from '../nn/fpn.ts';
import { guardedUpdate, initLossScale, lossScale } from '../nn/loss-scale.ts';
import { initOptimizer, optimizerScalarsSpec, optimizerUpdate } from '../nn/optimizers.ts';
import { rank1, rank2, rank4 } from '../nn/tensors.ts';
import { augmentViews } from './augment.ts';
import type { MethodConfig, PretrainConfig } from './config.ts';
import { deconStep, type Branch, type DeconInputs, type Views } from './decon.ts';
import { initPretrainState, isStudentParameter } from './state.ts';
import { viewSpecs } from './views.ts';

/**
 * The whole pre-training step: augmentation, student and teacher, losses, gradients, optimizer. Its
 * state is `initialState`, its inputs are `pretrainBatchSpecs`, its outputs `loss.*` and `health.*`.
 */
export function buildPretrainStep(config: PretrainConfig): StepFunction {
  return (state, batch) => {
    const input = (name: string): Tensor => defined(batch[name], `the batch's ${name}`);
    const overlap = (view: 1 | 2) => ({
      coords: rank2(input(`views.coords${view}`)),
      flip: rank1(input(`views.flip${view}`)),
    });
    const views: Views = {
      crops: rank4(augmentViews(input('images'), batch)),
      overlaps: [overlap(1), overlap(2)],
    };
    const { gradients, buffers, outputs } = deconStep(config, state, {
      views,
      teacherRate: input('teacherRate'),
      ...dropoutInputs(config, batch),
      ...(config.precision === 'half' && { lossScale: lossScale(state) }),
    });
    const updated = optimizerUpdate(config.optimizer, studentOf(state), gradients, state, {
      weightDecay: config.weightDecay,
      momentum: config.optimizerMomentum,
      scalars: input('optimizerScalars'),
    });
    const update = { ...updated.params, ...updated.buffers };
    const next = config.precision === 'half' ? guardedUpdate(state, gradients, update) : update;
    return { state: { ...state, ...buffers, ...next }, outputs };
  };
}

/**
 * Networks, centers and optimizer buffers at step 0, from the config's seed; in half precision the
 * scale of the loss as well.
 */
export function initialState(config: PretrainConfig): HostTensors {
  const state = initPretrainState(config, new Random(config.seed).fork('parameters'));
  return {
    ...state,
    ...initOptimizer(config.optimizer, studentOf(state)),
    ...(config.precision === 'half' && initLossScale()),
  };
}

/**
 * What a step is fed: the tiles as bytes, how both views are cut (`viewSpecs`), the optimizer's
 * scalars, 1 - teacher momentum (of the encoder side, of the decoder side), and the channel
 * dropout's masks.
 */
export function pretrainBatchSpecs(config: PretrainConfig): Readonly<Record<string, TensorSpec>> {
  const { batchSize: batch, tilePx, cropPx } = config;
  return {
    images: { shape: [batch, tilePx, tilePx, 3], dtype: 'uint8' },
    ...viewSpecs({ batch, tileSizePx: tilePx, cropSizePx: cropPx }),
    optimizerScalars: optimizerScalarsSpec,
    teacherRate: { shape: [2], dtype: 'float32' },
    ...dropoutSpecs(config, batch),
  };
}

/**
 * Masks `[batch, channels]` of 0 or 1 / (1 - p), drawn anew for every branch, level and step;
 * `dropmask.q1.res4` is the student's view 1 at the lateral connection of level 4. Empty without
 * channel dropout.
 */
export function dropoutSpecs(
  config: MethodConfig,
  batch: number,
): Readonly<Record<string, TensorSpec>> {
  if (config.decoder !== 'fpn' || config.dropout === 0) return {};
  const channels = encoderChannels(encoderShape(config.encoder));
  const specs = BRANCHES.flatMap((branch) =>
    DROPPED_LEVELS.map((level): [string, TensorSpec] => {
      const width =
        config.dropoutSite === 'after-lateral' ? config.decoderChannels : channels[level - 2];
      return [maskName(branch, level), { shape: [batch, width ?? 0], dtype: 'float32' }];
    }),
  );
  return Object.fromEntries(specs);
}

/** The masks of a batch as the decoder takes them; nothing without channel dropout. */
export function dropoutInputs(
  config: MethodConfig,
  batch: NamedTensors,
): Pick<DeconInputs, 'dropout'> {
  if (config.decoder !== 'fpn' || config.dropout === 0) return {};
  const of = (branch: Branch): ChannelDropout => {
    const mask = (level: (typeof DROPPED_LEVELS)[number]): Tensor =>
      defined(batch[maskName(branch, level)], maskName(branch, level));
    return { site: config.dropoutSite, masks: { 4: mask(4), 3: mask(3), 2: mask(2) } };
  };
  return { dropout: { q1: of('q1'), q2: of('q2'), k1: of('k1'), k2: of('k2') } };
}

function studentOf<T>(state: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(state).filter(([name]) => isStudentParameter(name)));
}

function maskName(branch: Branch, level: number): string {
  return `dropmask.${branch}.res${level}`;
}

const BRANCHES: readonly Branch[] = ['q1', 'q2', 'k1', 'k2'];
