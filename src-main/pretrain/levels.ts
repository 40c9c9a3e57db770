import { decoderOutputs, encoderChannels, encoderShape } from '../nn/config.ts';
import type { MethodConfig } from './config.ts';

/** Student or teacher: q and k in the papers and in parameter names. */
export type Side = 'q' | 'k';

/** One SlotCon objective: at the encoder's last map, or at one of the decoder's outputs. */
export interface LossLevel {
  /** `encoder`, or `level0` (the decoder's finest output), `level1`, ... */
  readonly label: string;
  /** Which map it reads: -1 for c5, else the index of a decoder output. */
  readonly output: number;
  readonly channels: number;
  readonly hidden: number;
  readonly prototypes: number;
  /** Weight of its grouping loss against its contrastive loss. */
  readonly groupWeight: number;
  /** Its share in the total loss. */
  readonly weight: number;
  /** Prefixes of the parameter names of spec 10.1. */
  readonly names: {
    readonly projector: Readonly<Record<Side, string>>;
    readonly grouping: Readonly<Record<Side, string>>;
    readonly predictor: string;
    readonly center: string;
  };
}

/**
 * The levels at which the loss is computed. With a decoder, L = alpha L_encoder + (1 - alpha) mean
 * of the decoder's levels (DeCon); alpha 0 leaves the encoder's level out. Without, plain SlotCon.
 */
export function lossLevels(config: MethodConfig): readonly LossLevel[] {
  const outputs = decoderOutputs(config);
  const decoderLevels = Array.from({ length: outputs }, (_, i) => decoderLevel(config, i, outputs));
  const weight = outputs === 0 ? 1 : config.alpha;
  return weight === 0 ? decoderLevels : [encoderLevel(config, weight), ...decoderLevels];
}

function encoderLevel(config: MethodConfig, weight: number): LossLevel {
  return {
    label: 'encoder',
    output: -1,
    channels: encoderChannels(encoderShape(config.encoder))[3],
    hidden: config.hidden,
    prototypes: config.prototypes,
    groupWeight: config.groupWeight,
    weight,
    names: {
      projector: { q: 'projector_q', k: 'projector_k' },
      grouping: { q: 'grouping_q', k: 'grouping_k' },
      predictor: 'predictor_slot',
      center: 'center',
    },
  };
}

/** Several levels carry their index in the names; a single one does not (spec 10.1). */
function decoderLevel(config: MethodConfig, index: number, count: number): LossLevel {
  const several = count > 1;
  const at = several ? `.${index}` : '';
  return {
    label: `level${index}`,
    output: index,
    channels: config.decoderChannels,
    hidden: config.decoderHidden,
    prototypes: config.decoderPrototypes,
    groupWeight: config.decoderGroupWeight,
    weight: (1 - config.alpha) / count,
    names: {
      projector: { q: `dec_projector_q${at}`, k: `dec_projector_k${at}` },
      grouping: { q: `dec_grouping_q${at}`, k: `dec_grouping_k${at}` },
      predictor: `dec_predictor_slot${at}`,
      center: several ? `center_dec_${index}` : 'center_dec',
    },
  };
}
