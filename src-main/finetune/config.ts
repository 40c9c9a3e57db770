import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { settingsProblem } from '../lib/schema-issues.ts';
import { ENCODER_STRIDE, NETWORK_ENTRIES, NetworkConfigSchema } from '../nn/config.ts';

const positiveInteger = v.pipe(v.number(), v.integer(), v.minValue(1));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const nonNegative = v.pipe(v.number(), v.minValue(0), v.finite());

/** Where the first weights come from. `run` is the id of a pre-training (or fine-tuning) run. */
export const startSchema = v.variant('type', [
  v.strictObject({ type: v.literal('random') }),
  v.strictObject({ type: v.literal('encoder'), run: v.string() }),
  v.strictObject({ type: v.literal('encoder+decoder'), run: v.string() }),
  v.strictObject({ type: v.literal('file'), path: v.string() }),
]);

/** Strengths of the random changes made to each training crop; 0 switches one off. */
const augmentationSchema = v.strictObject({
  /** Zoom of the crop, log-uniform between the two. 0.5 to 2 as in mmsegmentation's recipes. */
  scale: v.optional(
    v.pipe(
      v.tuple([v.pipe(v.number(), v.gtValue(0)), v.pipe(v.number(), v.gtValue(0))]),
      v.check(([low, high]) => low <= high, 'The smaller zoom comes first.'),
    ),
    [0.5, 2],
  ),
  /** Mirroring left-right (mmsegmentation: 0.5). */
  flipProbability: v.optional(share, 0.5),
  /** Quarter turns too: for pictures without an "up" (cells, aerial views); off for the others' sake. */
  quarterTurns: v.optional(v.boolean(), false),
  /** Factors in 1 +- this, and a turn of the hue, as in the pre-training's jitter (SlotCon). */
  brightness: v.optional(share, 0.4),
  contrast: v.optional(share, 0.4),
  saturation: v.optional(share, 0.2),
  hue: v.optional(v.pipe(share, v.maxValue(0.5)), 0.1),
});

/**
 * Everything that decides a fine-tuning. What the user leaves out gets the default here; `auto`
 * values are resolved once before the run is stored (`resolveFinetuneConfig`), `steps` from the
 * time budget on the run's first start; the resolved config is what is stored with the run.
 */
export const finetuneConfigSchema = v.strictObject({
  ...NETWORK_ENTRIES,
  /** Half of the pre-training's 256: at full width p2's convolution costs as much as a ResNet-18. */
  decoderChannels: v.optional(NETWORK_ENTRIES.decoderChannels.wrapped, 128),
  start: v.optional(startSchema, { type: 'random' }),

  /** Share of the labelled training images; subsets of a seed are nested (paper: 5, 10, 25, 100 %). */
  fraction: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
  /** Decides subset, initial weights, crops and augmentation. */
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),

  /** Smallest batch whose batch statistics are steady at every FPN level; 16 in the paper's recipes. */
  batch: v.optional(positiveInteger, 8),
  /** Side of a training crop; a multiple of 32 so that every feature map has a whole size. */
  cropPx: v.optional(v.pipe(positiveInteger, v.multipleOf(ENCODER_STRIDE)), 160),
  /** Side of a cached tile that crops are cut from, and of the tiles of a prediction. */
  tilePx: v.optional(v.pipe(positiveInteger, v.multipleOf(ENCODER_STRIDE)), 256),
  /** Scale of the cached pixels against the source; 1 keeps texture. Prediction uses it too. */
  scale: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),

  /** Optimizer steps. `auto`: as many as fit into `timeBudgetSeconds`, measured at the start. */
  steps: v.optional(v.union([positiveInteger, v.literal('auto')]), 1000),
  /** Set-up, training, quick estimates and the final scores together. Used when steps is `auto`. */
  timeBudgetSeconds: v.optional(v.pipe(v.number(), v.minValue(1))),

  /** AdamW converges in few steps without tuning; SGD is what the paper's recipes use. */
  optimizer: v.optional(v.picklist(['adamw', 'sgd']), 'adamw'),
  /** Peak rate; `auto`: 1e-3 for AdamW, 0.01 for SGD (mmsegmentation's Cityscapes recipe). */
  learningRate: v.optional(v.union([v.pipe(v.number(), v.gtValue(0)), v.literal('auto')]), 'auto'),
  /** Factor on the rate of every pre-trained weight; 1 treats all alike, as the paper's recipes. */
  pretrainedRateFactor: v.optional(nonNegative, 1),
  /** `auto`: 0.01 for AdamW (its paper's default), 1e-4 for SGD (mmsegmentation). */
  weightDecay: v.optional(v.union([nonNegative, v.literal('auto')]), 'auto'),
  momentum: v.optional(share, 0.9),
  /** Polynomial decay with power 0.9 is mmsegmentation's; cosine is the alternative. */
  schedule: v.optional(v.picklist(['poly', 'cosine']), 'poly'),
  /** Linear warm-up over this share of the steps; protects pre-trained weights from early noise. */
  warmupShare: v.optional(share, 0.05),

  /**
   * `half` computes the network with 16-bit numbers, which is faster on most graphics cards; the CPU
   * cannot gain from it and refuses.
   */
  precision: v.optional(v.picklist(['single', 'half']), 'single'),

  /** Loss is cross-entropy + this times soft Dice; equal parts as in nnU-Net. */
  diceWeight: v.optional(nonNegative, 1),
  /** Share of crops centred on a pixel of a class drawn evenly (nnU-Net oversamples a third). */
  classAwareShare: v.optional(share, 0.5),
  augmentation: v.optional(augmentationSchema, {}),

  /** Quick estimates of validation mIoU, evenly spread; the best one chooses the final weights. */
  evaluations: v.optional(positiveInteger, 10),
  /** Images per quick estimate, the same ones every time; final scores always use all. */
  evaluationImages: v.optional(positiveInteger, 32),
  /** Extra checkpoint every so many seconds between evaluations. */
  checkpointSeconds: v.optional(v.pipe(v.number(), v.minValue(1)), 60),
});

export type FinetuneStart = v.InferOutput<typeof startSchema>;
/** What a user may give: every field optional. */
export type FinetuneInput = v.InferInput<typeof finetuneConfigSchema>;
/** All fields present, `auto` still possible. */
export type FinetuneConfig = v.InferOutput<typeof finetuneConfigSchema>;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Fills in the defaults and checks every value. With the stored config of the run to start from, the
 * network settings left out are that run's, so that its weights fit.
 * @throws AppError `config.invalid` naming the field and what was wrong
 */
export function parseFinetuneConfig(input: JsonObject, parentConfig?: JsonObject): FinetuneConfig {
  const result = v.safeParse(finetuneConfigSchema, { ...networkOf(parentConfig), ...input });
  if (!result.success) {
    throw new AppError('config.invalid', settingsProblem(result.issues));
  }
  const config = result.output;
  if (config.cropPx > config.tilePx) {
    throw invalid(
      'cropPx',
      `a crop of ${config.cropPx} px does not fit into a tile of ${config.tilePx} px`,
    );
  }
  if (config.steps === 'auto' && config.timeBudgetSeconds === undefined) {
    throw invalid('steps', 'give a number of steps or a time budget');
  }
  return config;
}

/** The numeric learning rate and weight decay of a config. */
export function optimizerSettings(config: FinetuneConfig): {
  readonly learningRate: number;
  readonly weightDecay: number;
} {
  const auto = automatic[config.optimizer];
  return {
    learningRate: config.learningRate === 'auto' ? auto.learningRate : config.learningRate,
    weightDecay: config.weightDecay === 'auto' ? auto.weightDecay : config.weightDecay,
  };
}

function networkOf(parentConfig: JsonObject | undefined): JsonObject {
  return parentConfig === undefined
    ? {}
    : v.parse(v.object(NetworkConfigSchema.entries), parentConfig);
}

function invalid(field: string, message: string): AppError {
  return new AppError(
    'config.invalid',
    `The fine-tuning setting "${field}" is not valid: ${message}.`,
    {
      details: { field },
    },
  );
}

const automatic = {
  adamw: { learningRate: 1e-3, weightDecay: 0.01 },
  sgd: { learningRate: 0.01, weightDecay: 1e-4 },
} as const;
