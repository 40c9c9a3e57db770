import { availableParallelism } from 'node:os';
import { networkMemory } from '../pretrain/memory.ts';
import { networkSize } from '../pretrain/size.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { type FinetuneConfig, parseFinetuneConfig } from './config.ts';
import { finetuneResultSchema } from './result.ts';
import * as v from 'valibot';

/** The low and the high end of an estimate, in seconds. */
export type Seconds = readonly [low: number, high: number];

/** How long one training takes, and how that is known. */
export interface TrainingTime {
  readonly seconds: Seconds;
  /** From earlier trainings here, the time that was asked for, or a guess from the operations. */
  readonly basis: 'measured' | 'asked' | 'rough';
}

/** Fine-tunings train on one view and need one pyramid output. */
const levels = 'single';

/** Forward, and twice as much for the gradients; a product is a multiplication and an addition. */
const operationsPerProduct = 3 * 2;

/** Useful operations a second and core in a whole training step, measured on AVX2 cores. */
const operationsPerCore = 30e9;
/** Other processors and GPUs are up to so much slower and faster. */
const roughRange = [0.4, 2.5] as const;
/** Other work on the machine and longer evaluations. */
const measuredRange = [0.85, 1.25] as const;
/** A time budget is filled by what the first steps took. */
const budgetRange = [0.9, 1.2] as const;
/** Decoding, compiling and measuring before the first step, and scores of one image. */
const setupSeconds = 8;
const imageSeconds = 0.15;
const remembered = 8;

/** Multiplications and additions of one training step. */
export function stepOperations(config: FinetuneConfig): number {
  const { products } = networkSize({ ...config, levels }, config.cropPx);
  return operationsPerProduct * config.batch * products;
}

/** Bytes of the network's weights. */
export function weightBytes(config: FinetuneConfig): number {
  return 4 * networkSize({ ...config, levels }, config.cropPx).weights;
}

/** Peak memory of a training in bytes, right within about a third. */
export function trainingMemory(config: FinetuneConfig): number {
  const buffers = config.optimizer === 'adamw' ? 2 : 1;
  const stateBytes = weightBytes(config) * (1 + buffers);
  return networkMemory({ ...config, levels }, stateBytes, config.batch);
}

/** How long one training with these settings will take on this machine. */
export function trainingTime(
  project: Project,
  config: FinetuneConfig,
  heldOutImages: number,
): TrainingTime {
  const { steps, timeBudgetSeconds } = config;
  if (steps === 'auto') {
    return { seconds: scaled(timeBudgetSeconds ?? 0, budgetRange), basis: 'asked' };
  }
  const paces = project.runs.list('finetune').flatMap(paceOf).slice(-remembered);
  const operations = steps * stepOperations(config);
  if (paces.length === 0) {
    const training = operations / (operationsPerCore * availableParallelism());
    const quick = config.evaluations * config.evaluationImages;
    const rest = setupSeconds + imageSeconds * (heldOutImages + quick);
    return { seconds: scaled(training + rest, roughRange), basis: 'rough' };
  }
  const totals = paces.map(({ perOperation, rest }) => operations * perOperation + rest);
  return {
    seconds: [Math.min(...totals) * measuredRange[0], Math.max(...totals) * measuredRange[1]],
    basis: 'measured',
  };
}

interface Pace {
  /** Seconds of training for one operation. */
  readonly perOperation: number;
  /** Seconds besides training: decoding, compiling, scores. */
  readonly rest: number;
}

/** The pace of a finished run; none where it is not known. */
function paceOf(run: RunRow): readonly Pace[] {
  const result = v.safeParse(finetuneResultSchema, run.result);
  if (!result.success || run.startedAt === null || run.finishedAt === null) return [];
  const { steps, trainedSeconds } = result.output;
  const operations = steps * stepOperations(parseFinetuneConfig(run.config));
  if (operations === 0 || trainedSeconds === 0) return [];
  const rest = (run.finishedAt - run.startedAt) / 1000 - trainedSeconds;
  // A run that was paused for long tells nothing about the rest.
  const isInOneGo = rest >= 0 && rest < 2 * trainedSeconds + 120;
  return [{ perOperation: trainedSeconds / operations, rest: isInOneGo ? rest : setupSeconds }];
}

function scaled(seconds: number, [low, high]: Seconds): Seconds {
  return [seconds * low, seconds * high];
}
