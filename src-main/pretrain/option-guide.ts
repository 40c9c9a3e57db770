import * as v from 'valibot';
import { PretrainOptionsSchema } from './config.ts';

/** How a setting is entered. */
export type OptionControl =
  | { readonly type: 'choice'; readonly options: string[] }
  | {
      readonly type: 'number';
      readonly min: number;
      readonly max: number;
      readonly step: number;
      readonly unit: string;
      /** `auto` is a value as well. */
      readonly hasAuto: boolean;
      /** May be left empty. */
      readonly isOptional: boolean;
    }
  /** Two shares: of view 1 and of view 2. */
  | { readonly type: 'pair' };

/** What a user is told about one setting. */
export interface OptionGuide {
  /** As in the settings; with a dot inside a group of them: `augmentation.hue`. */
  readonly name: string;
  readonly group: string;
  readonly label: string;
  readonly explanation: string;
  readonly control: OptionControl;
}

/** A setting's value when nobody sets it; undefined where it is optional. */
export function defaultOf(name: string): unknown {
  const defaults: unknown = v.parse(PretrainOptionsSchema, {});
  return name
    .split('.')
    .reduce(
      (value, part) =>
        typeof value === 'object' && value !== null
          ? Object.entries(value).find(([key]) => key === part)?.[1]
          : undefined,
      defaults,
    );
}

function choice(...options: string[]): OptionControl {
  return { type: 'choice', options };
}

function number(
  min: number,
  max: number,
  step: number,
  extra: { readonly unit?: string; readonly auto?: true; readonly optional?: true } = {},
): OptionControl {
  const { unit = '', auto = false, optional = false } = extra;
  return { type: 'number', min, max, step, unit, hasAuto: auto, isOptional: optional };
}

const share = number(0, 1, 0.05);
const pair: OptionControl = { type: 'pair' };
const temperature = number(0.001, 100, 0.01);

type Row = readonly [name: string, label: string, control: OptionControl, explanation: string];

function group(name: string, rows: readonly Row[]): readonly OptionGuide[] {
  return rows.map(([option, label, control, explanation]) => ({
    name: option,
    group: name,
    label,
    explanation,
    control,
  }));
}

/** Every setting that a user may change, in the order in which they are shown. */
export const optionGuide: readonly OptionGuide[] = [
  ...group('Length', [
    [
      'timeBudgetSeconds',
      'Time',
      number(1, 1e7, 60, { unit: 's', optional: true }),
      'How long it may take, set-up included; the first steps are timed and the number of steps is fitted to it.',
    ],
    [
      'epochs',
      'Epochs',
      number(0.01, 1e6, 1),
      'How many times every tile is seen, when no time and no steps are given.',
    ],
    [
      'steps',
      'Steps',
      number(1, 1e8, 100, { auto: true }),
      'The number of steps; overrules the epochs.',
    ],
    [
      'warmupSteps',
      'Warm-up',
      number(0, 1e8, 10, { unit: 'steps', auto: true }),
      'Steps over which the learning rate rises; automatic is five epochs, at most a tenth of the run.',
    ],
  ]),
  ...group('Images', [
    [
      'batchSize',
      'Batch',
      number(2, 4096, 2, { unit: 'tiles' }),
      'Tiles learnt from in one step; more is steadier and takes more memory and time.',
    ],
    [
      'cropPx',
      'Crop',
      number(32, 4096, 32, { unit: 'px' }),
      'Side of the two views that are cut from a tile; a multiple of 32.',
    ],
    [
      'tilePx',
      'Tile',
      number(32, 4096, 32, { unit: 'px' }),
      'Side of the squares that images are cut into; at least the crop, usually one and a half times as much.',
    ],
    [
      'scale',
      'Scale',
      number(0.01, 1, 0.05),
      'Images are made smaller by this factor first; 1 keeps fine texture, less shows more of a large image at once.',
    ],
  ]),
  ...group('Network', [
    [
      'encoder',
      'Encoder',
      choice('resnet18', 'resnet34', 'resnet50'),
      'The part that looks at the image; a larger one learns more and needs more time and memory.',
    ],
    [
      'decoder',
      'Decoder',
      choice('none', 'fcn', 'fpn'),
      'The part that paints the result and learns along (DeCon); with none only the encoder learns (SlotCon).',
    ],
    [
      'decoderChannels',
      'Decoder width',
      number(1, 65536, 16, { unit: 'channels' }),
      'Channels of every decoder map.',
    ],
    [
      'levels',
      'Decoder losses',
      choice('single', 'multi'),
      'FPN only: learn at its finest output (DeCon-SL) or at all four (DeCon-ML).',
    ],
    [
      'fcnForm',
      'FCN form',
      choice('cityscapes', 'ade20k'),
      'FCN only: convolutions that look far apart (cityscapes) or close together (ade20k).',
    ],
  ]),
  ...group('Slots', [
    [
      'prototypes',
      'Slots of the encoder',
      number(1, 65536, 8),
      'Kinds of places that the encoder may tell apart.',
    ],
    [
      'decoderPrototypes',
      'Slots of the decoder',
      number(1, 65536, 8, { auto: true }),
      'The same for each decoder level; automatic is as many as the encoder has.',
    ],
    [
      'dim',
      'Projection',
      number(1, 65536, 16, { unit: 'values' }),
      'Length of the vectors in which places are compared.',
    ],
    [
      'hidden',
      'Hidden width',
      number(1, 65536, 64),
      'Width of the small networks in front of the losses; the papers use 4,096, which needs much memory.',
    ],
    [
      'decoderHidden',
      'Hidden width, decoder',
      number(1, 65536, 64, { auto: true }),
      'The same at the decoder levels; automatic is as at the encoder.',
    ],
    [
      'studentTemperature',
      'Student temperature',
      temperature,
      'How sharply the student assigns places to slots; smaller is sharper.',
    ],
    [
      'teacherTemperature',
      'Teacher temperature',
      temperature,
      'How sharply the teacher does; it must be the sharper one.',
    ],
    [
      'attentionTemperature',
      'Attention temperature',
      temperature,
      'How sharply places are gathered into slots.',
    ],
  ]),
  ...group('Losses', [
    [
      'alpha',
      'Encoder share',
      number(0, 1, 0.05),
      "Weight of the encoder's loss against the decoder's (alpha of the paper); 0 trains through the decoder alone.",
    ],
    [
      'groupWeight',
      'Grouping share',
      share,
      'Weight of assigning places consistently against telling slots apart, at the encoder.',
    ],
    ['decoderGroupWeight', 'Grouping share, decoder', share, 'The same at the decoder levels.'],
    [
      'contrastTemperature',
      'Contrast temperature',
      temperature,
      'How strictly slots of different images are told apart; smaller is stricter.',
    ],
    [
      'dropout',
      'Channel dropout',
      number(0, 0.95, 0.05),
      'FPN only: share of channels hidden on the way from encoder to decoder, so that the decoder cannot lean on one.',
    ],
    [
      'dropoutSite',
      'Dropout place',
      choice('after-lateral', 'before-lateral'),
      'Whether channels are hidden after the connecting convolution (released code) or before it (figure of the paper).',
    ],
  ]),
  ...group('Teacher', [
    [
      'teacherMomentum',
      'Teacher momentum',
      share,
      'How slowly the teacher follows the student at the start; it rises to 1. Short runs need less.',
    ],
    [
      'centerMomentum',
      'Center momentum',
      share,
      'How slowly the average that keeps all slots in use follows.',
    ],
    [
      'ema',
      'Teacher counter',
      choice('consistent', 'released'),
      'As described in the paper, or with the two oddities of its released code.',
    ],
  ]),
  ...group('Optimizer', [
    [
      'optimizer',
      'Optimizer',
      choice('lars', 'sgd', 'adamw'),
      'How gradients become changes: AdamW for small batches, LARS as in the papers, or plain SGD.',
    ],
    [
      'learningRate',
      'Learning rate',
      number(0, 1000, 0.001, { auto: true }),
      'Size of the changes for 256 tiles a step; it is scaled to the batch. Automatic is the usual one of the optimizer.',
    ],
    [
      'weightDecay',
      'Weight decay',
      number(0, 1000, 0.00001, { auto: true }),
      'Pull of the weights towards zero; automatic is the usual one of the optimizer.',
    ],
    [
      'optimizerMomentum',
      'Momentum',
      share,
      'LARS and SGD only: how much of the last change is kept.',
    ],
  ]),
  ...group('Views', [
    [
      'augmentation.minArea',
      'Smallest crop',
      number(0.01, 1, 0.01),
      'Smallest share of a tile that a view covers.',
    ],
    ['augmentation.mirror', 'Mirror', share, 'How often a view is mirrored left to right.'],
    [
      'augmentation.colorJitter',
      'Color change',
      share,
      'How often brightness, contrast, saturation and hue are changed.',
    ],
    ['augmentation.brightness', 'Brightness', share, 'By how much brightness changes at most.'],
    ['augmentation.contrast', 'Contrast', share, 'By how much contrast changes at most.'],
    ['augmentation.saturation', 'Saturation', share, 'By how much saturation changes at most.'],
    [
      'augmentation.hue',
      'Hue',
      number(0, 0.5, 0.01),
      'By how much hue turns at most; 0.5 is the whole circle.',
    ],
    ['augmentation.grayscale', 'Gray', share, 'How often a view loses its colors.'],
    ['augmentation.blur', 'Blur', pair, 'How often view 1 and view 2 are blurred.'],
    [
      'augmentation.solarize',
      'Solarize',
      pair,
      'How often the bright parts of view 1 and view 2 are inverted.',
    ],
  ]),
  ...group('Run', [
    [
      'precision',
      'Precision',
      choice('single', 'half'),
      'Half computes the networks with 16-bit numbers, which is faster on most graphics cards; the CPU cannot gain from it and refuses.',
    ],
    [
      'seed',
      'Seed',
      number(0, 2 ** 53 - 1, 1),
      'Start of all random numbers; the same seed repeats a run on the same machine.',
    ],
    [
      'logSteps',
      'Curve every',
      number(1, 1e8, 1, { unit: 'steps' }),
      'How often losses and health are written down.',
    ],
    [
      'checkpointSeconds',
      'Checkpoint every',
      number(0, 1e6, 30, { unit: 's' }),
      'How much work a power cut can cost.',
    ],
  ]),
];
