import * as v from 'valibot';
import { ENCODER_STRIDE, NETWORK_ENTRIES } from '../nn/config.ts';
import { augmentationSchema } from './views.ts';

// Sources of the defaults: "SlotCon" = its reference code, "DeCon" = the code line of its authors,
// "ours" = chosen for batch 8-16 on two CPU cores, with the paper's value beside it.

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65536));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const rate = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1000));
const temperature = v.pipe(v.number(), v.minValue(0.001), v.maxValue(100));
const sidePx = v.pipe(v.number(), v.integer(), v.minValue(32), v.maxValue(4096));
const steps = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e8));
const seed = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

const ALPHA_RULE =
  'With a decoder, alpha must be below 1; to train the encoder alone choose decoder none.';
const CROP_RULE = 'Tiles must be at least as large as the crops.';

/** What decides the networks, the losses and the teacher: the whole method apart from its schedule. */
const METHOD_ENTRIES = {
  ...NETWORK_ENTRIES,
  /** FPN only: loss at p2 (DeCon-SL) or at p2..p5 (DeCon-ML). */
  levels: v.optional(v.picklist(['single', 'multi']), 'multi'), // DeCon-ML
  dim: v.optional(count, 128), // ours; SlotCon 256
  hidden: v.optional(count, 512), // ours; SlotCon 4096
  prototypes: v.optional(count, 64), // ours; SlotCon 256 on COCO, 2048 on ImageNet
  /** Weight of the encoder's loss against the decoder's. 0 builds no encoder heads. */
  alpha: v.optional(share, 0.5), // DeCon code default
  /** Weight of the grouping loss against the contrastive loss. */
  groupWeight: v.optional(share, 0.5), // SlotCon
  decoderGroupWeight: v.optional(share, 0.5), // DeCon
  studentTemperature: v.optional(temperature, 0.1), // SlotCon
  teacherTemperature: v.optional(temperature, 0.07), // SlotCon
  attentionTemperature: v.optional(temperature, 0.07), // SlotCon passes the teacher's to both sides
  contrastTemperature: v.optional(temperature, 0.2), // SlotCon
  /** Share of lateral channels dropped, FPN only. */
  dropout: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.95)), 0.5), // DeCon's command
  /** `after-lateral` is the code's place, `before-lateral` the figure's. */
  dropoutSite: v.optional(v.picklist(['after-lateral', 'before-lateral']), 'after-lateral'),
  /**
   * `consistent`: one counter step a training step, all teacher parts averaged. `released`: the
   * code's counter runs twice as fast and the teacher's decoder prototypes never move.
   */
  ema: v.optional(v.picklist(['consistent', 'released']), 'consistent'),
  teacherMomentum: v.optional(share, 0.99), // SlotCon, rises to 1
  centerMomentum: v.optional(share, 0.9), // SlotCon
};

const TRAINING_ENTRIES = {
  optimizer: v.optional(v.picklist(['lars', 'sgd', 'adamw']), 'lars'), // all SlotCon scripts
  optimizerMomentum: v.optional(share, 0.9), // SlotCon; LARS and SGD only
  batchSize: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(4096)), 16), // ours; SlotCon 512
  cropPx: v.optional(
    v.pipe(sidePx, v.multipleOf(ENCODER_STRIDE, 'The crop size must be a multiple of 32 pixels.')),
    128, // ours; SlotCon 224
  ),
  /** Side of the cached tiles that the crops are cut from. */
  tilePx: v.optional(sidePx, 192), // ours: 1.5 crops; SlotCon cuts from whole images
  /** Scale of the cached tiles against the source; 1 keeps texture. */
  scale: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
  augmentation: v.optional(augmentationSchema, {}),
  /** `half`: products of the networks in 16 bit, on graphics cards only. */
  precision: v.optional(v.picklist(['single', 'half']), 'single'), // ours; SlotCon half
  seed: v.optional(seed, 0),
  /** A safetensors file with an encoder (and decoder) to begin with; random without one. */
  startWeights: v.optional(v.pipe(v.string(), v.maxLength(4096))),
  /** Time for set-up and training; the number of steps is measured on this machine to fit it. */
  timeBudgetSeconds: v.optional(v.pipe(v.number(), v.minValue(1))),
  /** Metrics and health are written every so many steps. */
  logSteps: v.optional(steps, 10),
  /** Time between checkpoints; 0 writes one after every step. */
  checkpointSeconds: v.optional(v.pipe(v.number(), v.minValue(0)), 300),
};

/** What a user may ask for; `'auto'` is resolved by `resolvePretrainConfig`. */
export const PretrainOptionsSchema = v.pipe(
  v.strictObject({
    ...METHOD_ENTRIES,
    ...TRAINING_ENTRIES,
    decoderHidden: v.optional(v.union([count, v.literal('auto')]), 'auto'), // DeCon: as the encoder's
    decoderPrototypes: v.optional(v.union([count, v.literal('auto')]), 'auto'), // DeCon: K unless given
    /** Learning rate for 256 images a step; the rate used is this times batchSize / 256. */
    learningRate: v.optional(v.union([positive, v.literal('auto')]), 'auto'),
    weightDecay: v.optional(v.union([rate, v.literal('auto')]), 'auto'),
    epochs: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1e6)), 100), // ours; SlotCon 800
    /** Overrules `epochs`. */
    steps: v.optional(v.union([steps, v.literal('auto')]), 'auto'),
    warmupSteps: v.optional(
      v.union([v.pipe(v.number(), v.integer(), v.minValue(0)), v.literal('auto')]),
      'auto',
    ),
  }),
  v.check((config) => hasSensibleAlpha(config), ALPHA_RULE),
  v.check((config) => hasRoomForCrops(config), CROP_RULE),
);
export type PretrainOptions = Readonly<v.InferOutput<typeof PretrainOptionsSchema>>;

/** A run's settings as they are stored: every number fixed. */
export const PretrainConfigSchema = v.pipe(
  v.strictObject({
    ...METHOD_ENTRIES,
    ...TRAINING_ENTRIES,
    decoderHidden: count,
    decoderPrototypes: count,
    learningRate: positive,
    weightDecay: rate,
    steps,
    warmupSteps: v.pipe(v.number(), v.integer(), v.minValue(0)),
    /** Steps added afterwards; each is a warm-up and cosine cycle of its own. */
    extensions: v.optional(v.array(steps), []),
  }),
  v.check((config) => hasSensibleAlpha(config), ALPHA_RULE),
  v.check((config) => hasRoomForCrops(config), CROP_RULE),
);
export type PretrainConfig = Readonly<v.InferOutput<typeof PretrainConfigSchema>>;

/** The part of a config that the method (networks, losses, teacher) reads. */
export type MethodConfig = Pick<
  PretrainConfig,
  keyof typeof METHOD_ENTRIES | 'decoderHidden' | 'decoderPrototypes'
>;

/** Fixes every `'auto'`, given how many tiles one epoch has. */
export function resolvePretrainConfig(options: PretrainOptions, tiles: number): PretrainConfig {
  const { epochs, ...rest } = options;
  const stepsPerEpoch = Math.max(1, Math.floor(tiles / options.batchSize)); // last partial batch dropped
  const total =
    options.steps === 'auto' ? Math.max(1, Math.round(epochs * stepsPerEpoch)) : options.steps;
  return v.parse(PretrainConfigSchema, {
    ...rest,
    decoderHidden: options.decoderHidden === 'auto' ? options.hidden : options.decoderHidden,
    decoderPrototypes:
      options.decoderPrototypes === 'auto' ? options.prototypes : options.decoderPrototypes,
    learningRate:
      options.learningRate === 'auto' ? LEARNING_RATES[options.optimizer] : options.learningRate,
    weightDecay:
      options.weightDecay === 'auto' ? WEIGHT_DECAYS[options.optimizer] : options.weightDecay,
    steps: total,
    // SlotCon: 5 epochs; ours: at most a tenth of a short run
    warmupSteps:
      options.warmupSteps === 'auto'
        ? Math.min(5 * stepsPerEpoch, Math.floor(total / 10))
        : options.warmupSteps,
  });
}

function hasSensibleAlpha(config: { readonly decoder: string; readonly alpha: number }): boolean {
  return config.decoder === 'none' || config.alpha < 1;
}

function hasRoomForCrops(config: { readonly cropPx: number; readonly tilePx: number }): boolean {
  return config.tilePx >= config.cropPx;
}

const LEARNING_RATES = { lars: 1.0, sgd: 0.05, adamw: 2e-4 } as const; // SlotCon; ours; DeCon
const WEIGHT_DECAYS = { lars: 1e-5, sgd: 1e-4, adamw: 0.05 } as const; // SlotCon; ours; DeCon
