import type { PretrainConfig } from './config.ts';
import { tileCount, usualSide } from './plans.ts';
import type { ImageSizes } from './plans.ts';
import { totalSteps } from './schedules.ts';

/** A value of a plan and why it is what it is, in plain words. */
export interface PlanRule {
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

/** The plan card: what the run will do with these images, and the rule behind each value. */
export function planRules(config: PretrainConfig, sizes: ImageSizes): readonly PlanRule[] {
  const images = sizes.reduce((sum, { count }) => sum + count, 0);
  const tiles = tileCount(sizes, config);
  return [
    {
      name: 'Images',
      value: number(images),
      why: 'All usable images of the parts train and unlabelled. Those of val and test stay unseen.',
    },
    {
      name: 'Tiles',
      value: `${number(tiles)} of ${config.tilePx} px${config.scale === 1 ? '' : `, at ${config.scale} of the size`}`,
      why: `Your images have a usual side of ${number(usualSide(sizes))} px; larger ones are cut into tiles, so that size costs no memory.`,
    },
    {
      name: 'Crops',
      value: `${config.cropPx} px, ${config.batchSize} tiles at a time`,
      why: 'Two crops are drawn from each tile. The batch is the largest safe one that is predicted to fit into memory.',
    },
    ...lengthRules(config, tiles),
    {
      name: 'Encoder',
      value: encoderName(config),
      why:
        config.encoder === 'resnet50'
          ? 'The encoder of the papers; a graphics card makes it affordable.'
          : 'Small enough for a processor without a graphics card; the papers use ResNet-50.',
    },
    { name: 'Decoder', ...decoderRule(config) },
    {
      name: 'Slots',
      value: String(config.prototypes),
      why: 'Kinds of places that the network may tell apart. Few images and small batches fill only few; the papers use 256 and more.',
    },
    {
      name: 'Optimizer',
      value: optimizerNames[config.optimizer],
      why:
        config.optimizer === 'adamw'
          ? 'Works untuned with small batches. The papers use LARS with 512 images a step.'
          : 'As chosen; the papers use LARS with 512 images a step.',
    },
  ];
}

function lengthRules(config: PretrainConfig, tiles: number): readonly PlanRule[] {
  const perEpoch = Math.max(1, Math.floor(tiles / config.batchSize));
  if (config.timeBudgetSeconds !== undefined) {
    return [
      {
        name: 'Length',
        value: inWords(config.timeBudgetSeconds),
        why: `The first steps are timed and the number of steps is fitted to the time. ${number(perEpoch)} steps see every tile once.`,
      },
    ];
  }
  const steps = totalSteps(config);
  return [
    {
      name: 'Length',
      value: `${number(steps)} steps`,
      why: `Every tile is seen about ${number(Math.max(1, Math.round(steps / perEpoch)))} times; the papers see theirs 800 times.`,
    },
  ];
}

function decoderRule(config: PretrainConfig): { readonly value: string; readonly why: string } {
  switch (config.decoder) {
    case 'none':
      return {
        value: 'none (SlotCon)',
        why: 'Only the encoder learns; the decoder of your model starts at random.',
      };
    case 'fcn':
      return {
        value: 'FCN (DeCon-SL)',
        why: 'A small decoder on the last map of the encoder learns with it.',
      };
    case 'fpn':
      return config.levels === 'multi'
        ? {
            value: 'FPN with a loss at four levels (DeCon-ML)',
            why: 'Learns at several sizes at once, from fine detail to whole regions; takes more memory than one.',
          }
        : {
            value: 'FPN with a loss at its finest level (DeCon-SL)',
            why: 'Less memory and time than a loss at four levels.',
          };
  }
}

function encoderName({ encoder }: PretrainConfig): string {
  return typeof encoder === 'string'
    ? encoder.replace('resnet', 'ResNet-')
    : 'a ResNet of your own';
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function inWords(seconds: number): string {
  if (seconds < 120) return `about ${Math.round(seconds)} seconds`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes`;
  return `about ${Math.round(seconds / 3600)} hours`;
}

const optimizerNames = { adamw: 'AdamW', lars: 'LARS', sgd: 'SGD' } as const;
