import { resolvePretrainConfig } from './config.ts';
import type { PretrainConfig, PretrainOptions } from './config.ts';
import { predictMemory } from './memory.ts';
import type { Pace } from './pace-store.ts';
import { modelBytes, stateBytes, stepOperations } from './size.ts';
import { tileCount, type ImageSizes } from './plans.ts';
import { totalSteps } from './schedules.ts';

type Range = readonly [low: number, high: number];

/** What the machine can give. */
export interface Machine {
  readonly freeMemoryBytes: number;
  readonly freeDiskBytes: number;
  /** 10^9 operations a second in trainings, as far as it is known. */
  readonly gigaflops: number;
}

/** What a training will take; times are ranges, because a pace is never certain. */
export interface Estimate {
  readonly basis: 'measured' | 'rough';
  readonly secondsPerStep: Range;
  readonly steps: Range;
  readonly epochs: Range;
  readonly seconds: Range;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly diskBytes: number;
  readonly freeDiskBytes: number;
  /** Why it cannot start and what to do; empty when it fits. */
  readonly refusal: string;
}

/** Slot pictures, curves and the model's card. */
const smallFilesBytes = 20e6;
/** While a checkpoint is written, the one before it and the last healthy one are still there. */
const checkpointFiles = 3;
/** What is written of a checkpoint in a second, by an ordinary disk. */
const checkpointBytesPerSecond = 200e6;
/** Of a time budget that goes into set-up and checkpoints, as the trainer's own fitting has it. */
const budgetShare = 0.95;

/** Predicts a training with given settings on given images. */
export function estimateTraining(
  options: PretrainOptions,
  sizes: ImageSizes,
  machine: Machine,
  pace: Pace | undefined,
): Estimate {
  const tiles = tileCount(sizes, options);
  const config = resolvePretrainConfig(options, tiles);
  const secondsPerStep = paceRange(config, machine, pace);
  const [fast, slow] = secondsPerStep;
  const { timeBudgetSeconds: budget } = options;
  const fitted = (step: number): number =>
    Math.max(1, Math.floor((budgetShare * (budget ?? 0) - (pace?.compileSeconds ?? 0)) / step));
  const total = totalSteps(config);
  const steps: Range = budget === undefined ? [total, total] : [fitted(slow), fitted(fast)];
  const stepsPerEpoch = Math.max(1, Math.floor(tiles / config.batchSize));
  const needs = {
    memoryBytes: Math.round(pace?.peakBytes ?? predictMemory(config)),
    freeMemoryBytes: machine.freeMemoryBytes,
    diskBytes: diskBytes(config, tiles),
    freeDiskBytes: machine.freeDiskBytes,
  };
  return {
    basis: pace === undefined ? 'rough' : 'measured',
    secondsPerStep,
    steps,
    epochs: [steps[0] / stepsPerEpoch, steps[1] / stepsPerEpoch],
    seconds:
      budget === undefined
        ? [wholeSeconds(config, total * fast, pace), wholeSeconds(config, total * slow, pace)]
        : [0.9 * budget, budget],
    ...needs,
    refusal: refusal(config, needs, pace),
  };
}

/**
 * The largest batch, up to that of the settings, that fits into memory; undefined when none does. The
 * prediction for the settings is put right by their measured peak, when there is one.
 */
export function fittingBatch(
  config: PretrainConfig,
  memoryBytes: number,
  measured: Pick<Pace, 'peakBytes'> | undefined,
): number | undefined {
  const correction = measured === undefined ? 1 : measured.peakBytes / predictMemory(config);
  return [config.batchSize, ...commonBatches]
    .filter((batchSize) => batchSize <= config.batchSize)
    .find((batchSize) => correction * predictMemory({ ...config, batchSize }) <= memoryBytes);
}

const commonBatches = [256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8] as const;

/** Seconds from the start to the model: compiling, steps, and the checkpoints among them. */
function wholeSeconds(config: PretrainConfig, stepSeconds: number, pace: Pace | undefined): number {
  const checkpoints = 1 + Math.floor(stepSeconds / Math.max(config.checkpointSeconds, 1));
  const writing = stateBytes(config) / checkpointBytesPerSecond;
  return (pace?.compileSeconds ?? 0) + stepSeconds + checkpoints * writing;
}

/** Seconds a step from the size of the networks, when they were not measured. */
export function roughSecondsPerStep(config: PretrainConfig, gigaflops: number): number {
  return stepOperations(config) / 1e9 / gigaflops;
}

function paceRange(config: PretrainConfig, machine: Machine, pace: Pace | undefined): Range {
  if (pace !== undefined) return [0.93 * pace.secondsPerStep, 1.15 * pace.secondsPerStep];
  const rough = roughSecondsPerStep(config, machine.gigaflops);
  return [0.6 * rough, 1.8 * rough];
}

function diskBytes(config: PretrainConfig, tiles: number): number {
  const cache = tiles * config.tilePx ** 2 * 3;
  const weights = checkpointFiles * stateBytes(config) + modelBytes(config);
  return Math.round(cache + weights + smallFilesBytes);
}

function refusal(
  config: PretrainConfig,
  needs: Pick<Estimate, 'memoryBytes' | 'freeMemoryBytes' | 'diskBytes' | 'freeDiskBytes'>,
  pace: Pace | undefined,
): string {
  if (needs.memoryBytes > needs.freeMemoryBytes) {
    return (
      `This needs about ${inGb(needs.memoryBytes)} of memory, but only ${inGb(needs.freeMemoryBytes)} ` +
      `are free. ${smaller(config, needs.freeMemoryBytes, pace)}, or close other programs.`
    );
  }
  if (needs.diskBytes > needs.freeDiskBytes) {
    return (
      `This needs about ${inGb(needs.diskBytes)} on the disk of the project, but only ` +
      `${inGb(needs.freeDiskBytes)} are free. Free some space, or choose a smaller scale of the images.`
    );
  }
  return '';
}

function smaller(config: PretrainConfig, memoryBytes: number, pace: Pace | undefined): string {
  const { batchSize, cropPx } = config;
  const fitting = fittingBatch(config, memoryBytes, pace);
  if (fitting !== undefined) return `Choose a batch of ${fitting} instead of ${batchSize}`;
  const batch = batchSize > 8 ? 'a batch of 8 and ' : '';
  if (cropPx > 64)
    return `Choose ${batch}crops of ${cropPx > 96 ? 96 : 64} px instead of ${cropPx} px`;
  return 'Choose a smaller encoder, fewer decoder levels or a smaller hidden width';
}

function inGb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
