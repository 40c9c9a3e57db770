import { choice, decimal, duration, integer, text, texts } from './options.ts';

/** Options that every training has. */
export const trainingOptions = {
  name: text('NAME', 'what to call the run (default: a number after its kind)'),
  encoder: choice(['resnet18', 'resnet34', 'resnet50'], 'the encoder'),
  time: duration('how long it may take; the number of steps is measured to fit'),
  steps: integer('how many steps to train', 1),
  batch: integer('images a step', 1),
  size: integer('side of a training crop in pixels, a multiple of 32', 32),
  tile: integer('side of the tiles that crops are cut from, in pixels', 32),
  scale: decimal('scale of the images in training; 1 keeps their texture'),
  learningRate: decimal('peak learning rate'),
  weightDecay: decimal('weight decay'),
  seed: integer('seed of everything random'),
  device: text('NAME', 'cpu, webgpu, cuda... (default: auto, the fastest that works)'),
  set: texts('NAME=VALUE', 'any other setting by its name; may be given several times'),
};

/** Tiles with the usual room around a crop, for whoever chooses a crop but no tile; a multiple of 32. */
export function tileFor(
  options: { readonly size?: number | undefined; readonly tile?: number | undefined },
  tilePerCrop: number,
): number | undefined {
  if (options.tile !== undefined || options.size === undefined) return options.tile;
  return 32 * Math.ceil((options.size * tilePerCrop) / 32);
}
