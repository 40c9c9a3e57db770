import * as v from 'valibot';
import { readImageScores } from '../finetune/image-scores.ts';
import { drawResamples, estimateDifference, type ScoredCell } from '../finetune/intervals.ts';
import { finetuneResultSchema } from '../finetune/result.ts';
import { defined } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';

/** What one start came to, on the test pictures. */
export interface ScoredStart {
  readonly run: RunRow;
  readonly label: string;
  /** Of the nuclei; `null` when there is no example. */
  readonly dice: number | null;
  readonly iou: number | null;
  readonly meanIou: number | null;
  readonly steps: number;
  readonly seconds: number;
  readonly trainImages: number;
  readonly cell: ScoredCell;
}

/** The class of the demo's pictures that is not background. */
const nucleus = 1;

/** Reads a finished fine-tuning's result. */
export function scoredStart(project: Project, run: RunRow): ScoredStart {
  const result = v.parse(finetuneResultSchema, run.result);
  const { scores } = defined(result.test, 'test scores');
  const { test } = readImageScores(project.path(result.imageScores));
  return {
    run,
    label: run.start === 'random' ? 'random' : 'encoder + decoder',
    dice: scores.classes[nucleus]?.dice ?? null,
    iou: scores.classes[nucleus]?.iou ?? null,
    meanIou: scores.meanIou,
    steps: result.steps,
    seconds: result.trainedSeconds,
    trainImages: result.trainImages,
    cell: { seed: run.seed, groups: test },
  };
}

export interface Comparison {
  readonly tone: 'good' | 'neutral' | 'bad';
  readonly headline: string;
  readonly detail: string;
}

/**
 * What the two trainings show, no more: the interval comes from drawing the test pictures again, so
 * it covers the luck of the pictures but not that of the training.
 */
export function compareStarts(
  [random, pretrained]: readonly [ScoredStart, ScoredStart],
  isQuick: boolean,
): Comparison {
  const resamples = drawResamples(random.cell.groups.length, 1000, new Random(1));
  const difference = estimateDifference([pretrained.cell], [random.cell], 'meanDice', resamples);
  const [low, high] = difference.interval ?? [-1, 1];
  const signed = (value: number): string =>
    `${value < 0 ? '\u2212' : '+'}${Math.abs(value).toFixed(3)}`;
  const side = low > 0 ? 'good' : high < 0 ? 'bad' : 'neutral';
  const measured =
    `With ${random.trainImages} labelled pictures the Dice of nuclei is ${shown(pretrained.dice)} from the pre-trained encoder and decoder ` +
    `and ${shown(random.dice)} from random weights. Mean Dice over the classes differs by ${signed(difference.mean)} ` +
    `(95 % interval over the ${random.cell.groups.length} test pictures: ${signed(low)} to ${signed(high)}).`;
  if (isQuick) {
    return {
      tone: 'neutral',
      headline: 'Every part works',
      detail: `This was the quick demo, whose trainings are far too short to judge. ${measured}`,
    };
  }
  const headline = {
    good: 'In this example pre-training helped',
    neutral: 'In this example there is no clear difference',
    bad: 'In this example pre-training hurt',
  }[side];
  return {
    tone: side,
    headline,
    detail: `${measured} One training of each start is an example, not a proof: "decon study" repeats it with several seeds.`,
  };
}

function shown(score: number | null): string {
  return score?.toFixed(3) ?? 'without example';
}
