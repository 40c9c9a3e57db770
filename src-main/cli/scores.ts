import * as v from 'valibot';
import { scoreText } from '../finetune/metrics.ts';
import { finetuneResultSchema, type FinetuneResult } from '../finetune/result.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { formatTable } from './format.ts';

/** The scores of a finished fine-tuning as a text; undefined where there are none yet. */
export function scoresText(project: Project, run: RunRow): string | undefined {
  const result = v.safeParse(finetuneResultSchema, run.result);
  if (run.kind !== 'finetune' || !result.success) return undefined;
  const { val, test, servedStep, trainImages } = result.output;
  const served =
    `It learned from ${trainImages} labelled images and serves the weights of step ${servedStep}, ` +
    'the best quick estimate.';
  const parts = [partText(project, 'test', test), partText(project, 'val', val)];
  return [served, ...parts].filter((part) => part !== undefined).join('\n\n');
}

function partText(
  project: Project,
  split: 'val' | 'test',
  evaluation: FinetuneResult['test'],
): string | undefined {
  if (evaluation === null) return undefined;
  const names = new Map(project.classes.list().map((row) => [row.classIndex, row.name]));
  const images = project.images.count({ split, status: 'usable', hasMask: true });
  const { classes, meanIou, meanDice, pixelAccuracy } = evaluation.scores;
  const rows = classes.map(({ iou, dice }, index) => [
    names.get(index) ?? String(index),
    scoreText(iou),
    scoreText(dice),
  ]);
  const note = split === 'test' ? 'used for nothing else' : 'which chose the weights';
  return [
    `Scores on ${images} whole images of the part ${split}, ${note}:`,
    formatTable([
      ['class', 'IoU', 'Dice'],
      ...rows,
      ['mean', scoreText(meanIou), scoreText(meanDice)],
    ]),
    `Pixel accuracy ${scoreText(pixelAccuracy)}.`,
  ].join('\n');
}
