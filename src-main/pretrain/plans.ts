import * as v from 'valibot';
import { planTiles, scaledSize } from '../datasets/tile-plan.ts';
import { ENCODER_STRIDE } from '../nn/config.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from './config.ts';
import type { PretrainOptions } from './config.ts';
import { predictMemory } from './memory.ts';

/** How many images of each size there are to learn from. */
export type ImageSizes = readonly {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly count: number;
}[];

/** What plans are made from. */
export interface PlanFacts {
  readonly sizes: ImageSizes;
  readonly hasGpu: boolean;
  /** Of the memory that the training will use: the graphics card's, or what is free. */
  readonly memoryBytes: number;
}

export type PlanId = 'quick' | 'overnight' | 'thorough';

export interface BuiltInPlan {
  readonly id: PlanId;
  readonly name: string;
  readonly summary: string;
  readonly options: PretrainOptions;
}

/** Share of the free memory that a plan may take; the rest is for the window and other programs. */
const memoryShare = 0.7;
const tilePerCrop = 1.5;
const paperEpochs = 800;

/**
 * The three plans for these images on this machine. Values differ from the method's defaults where
 * few steps, a small batch or little memory ask for it.
 * @param secondsPerStep of a plan's settings, to tell whether the papers' epochs fit into a day
 */
export function builtInPlans(
  facts: PlanFacts,
  secondsPerStep: (options: PretrainOptions) => number,
): readonly BuiltInPlan[] {
  return PLANS.map(({ id, name, summary, seconds, settings }) => {
    const encoder = id === 'thorough' && facts.hasGpu ? 'resnet50' : 'resnet18';
    const wanted = { ...shared, ...settings, encoder, ...cropFor(facts.sizes, settings.cropPx) };
    const options = fittingMemory(v.parse(PretrainOptionsSchema, wanted), facts);
    const timed = { ...options, timeBudgetSeconds: seconds };
    if (id !== 'thorough') return { id, name, summary, options: timed };
    const paper = { ...options, epochs: paperEpochs };
    const { steps } = resolvePretrainConfig(paper, tileCount(facts.sizes, options));
    const fits = steps * secondsPerStep(options) <= seconds;
    return { id, name, summary, options: fits ? paper : timed };
  });
}

/** Tiles that the images are cut into; one epoch sees each of them once. */
export function tileCount(
  sizes: ImageSizes,
  { tilePx, scale }: Pick<PretrainOptions, 'tilePx' | 'scale'>,
): number {
  return sizes.reduce(
    (sum, { count, ...size }) => sum + count * planTiles(scaledSize(size, scale), tilePx).length,
    0,
  );
}

/** The median of the images' shorter sides. */
export function usualSide(sizes: ImageSizes): number {
  const sides = sizes
    .map(({ widthPx, heightPx, count }) => ({ side: Math.min(widthPx, heightPx), count }))
    .sort((a, b) => a.side - b.side);
  const half = sides.reduce((sum, { count }) => sum + count, 0) / 2;
  let passed = 0;
  for (const { side, count } of sides) {
    passed += count;
    if (passed >= half) return side;
  }
  return 0;
}

/** Crops no larger than the images, tiles with room around a crop but no larger than needed. */
function cropFor(
  sizes: ImageSizes,
  wantedPx: number,
): { readonly cropPx: number; readonly tilePx: number } {
  const side = Math.max(usualSide(sizes), 2 * ENCODER_STRIDE);
  const cropPx = Math.min(wantedPx, ENCODER_STRIDE * Math.floor(side / ENCODER_STRIDE));
  const roomy = ENCODER_STRIDE * Math.ceil((tilePerCrop * cropPx) / ENCODER_STRIDE);
  return { cropPx, tilePx: Math.min(roomy, ENCODER_STRIDE * Math.ceil(side / ENCODER_STRIDE)) };
}

/** The largest safe batch, then smaller crops, that are predicted to fit; the smallest if none is. */
function fittingMemory(options: PretrainOptions, { memoryBytes }: PlanFacts): PretrainOptions {
  const crops = [options.cropPx, 96, 64].filter((px) => px <= options.cropPx);
  const candidates = crops.flatMap((cropPx) =>
    safeBatches.map((batchSize) => ({ ...options, cropPx, batchSize })),
  );
  const fitting = candidates.find(
    (candidate) => predictMemory(resolvePretrainConfig(candidate, 1)) <= memoryShare * memoryBytes,
  );
  return fitting ?? candidates.at(-1) ?? options;
}

const safeBatches = [16, 12, 8];

/**
 * AdamW needs no tuning where the papers' LARS is made for 512 images a step; the rate was found on
 * microscope pictures with 1,000 steps (docs/results.md).
 */
const shared = { decoder: 'fpn', levels: 'multi', optimizer: 'adamw', learningRate: 8e-3 } as const;

const PLANS = [
  {
    id: 'quick',
    name: 'Quick look',
    summary: 'See whether it learns something from your images.',
    seconds: 600,
    settings: {
      decoderChannels: 128,
      dim: 64,
      hidden: 256,
      prototypes: 32,
      teacherMomentum: 0.96,
      cropPx: 96,
      checkpointSeconds: 60,
    },
  },
  {
    id: 'overnight',
    name: 'Overnight',
    summary: 'Start in the evening, label in the morning.',
    seconds: 8 * 3600,
    settings: {
      decoderChannels: 128,
      dim: 128,
      hidden: 512,
      prototypes: 64,
      teacherMomentum: 0.99,
      cropPx: 128,
      checkpointSeconds: 300,
    },
  },
  {
    id: 'thorough',
    name: 'Thorough',
    summary: 'As long as the papers train, or a day.',
    seconds: 24 * 3600,
    settings: {
      decoderChannels: 256,
      dim: 128,
      hidden: 1024,
      prototypes: 128,
      teacherMomentum: 0.99,
      cropPx: 128,
      checkpointSeconds: 600,
    },
  },
] as const;
