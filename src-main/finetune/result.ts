import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { HostTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { readSafetensors } from '../nn/safetensors.ts';
import { type Position, writeTensors } from '../pretrain/checkpoint.ts';
import type { Project } from '../project/project.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { writeImageScores } from './image-scores.ts';
import type { Training } from './training.ts';

/** Weights of the network after a step, and their quick estimate. */
export interface Candidate {
  readonly params: HostTensors;
  readonly step: number;
  readonly score: number;
}

/** Keeps the weights as the run's `best` checkpoint unless an earlier estimate was as good. */
export function considerBest(training: Training, { params, step, score }: Candidate): void {
  const { project, run } = training;
  const best = project.checkpoints.get(run.id, 'best');
  if (best !== undefined && score <= scoreOf(project, best.file)) return;
  const path = join(project.runFolder(run.id), `weights-${step}.safetensors`);
  const written = writeTensors(project, path, params, {
    format: 'decon-segmentation',
    network: JSON.stringify(training.network),
    classes: JSON.stringify(storedClasses(project)),
    step: String(step),
    quickMeanIou: String(score),
  });
  project.durably(() => project.checkpoints.put({ runId: run.id, kind: 'best', step, ...written }));
  removeUnlistedWeights(project, run.id);
}

/** The classes of the network's outputs, which may change in the project later. */
function storedClasses(project: Project) {
  return project.classes.list().map(({ name, color }) => ({ name, color }));
}

const evaluationSchema = v.object({
  scores: v.object({
    classes: v.array(
      v.object({
        iou: v.nullable(v.number()),
        dice: v.nullable(v.number()),
        truthPixels: v.number(),
        predictedPixels: v.number(),
      }),
    ),
    meanIou: v.nullable(v.number()),
    meanDice: v.nullable(v.number()),
    pixelAccuracy: v.nullable(v.number()),
  }),
  confusion: v.array(v.number()),
});

/** A finished run's result as it is stored. */
export const finetuneResultSchema = v.object({
  /** The step whose weights are served: the best quick estimate. */
  servedStep: v.number(),
  steps: v.number(),
  trainedSeconds: v.number(),
  trainImages: v.number(),
  /** Names the labels it learned from; runs with the same name saw the same labels. */
  labelRevision: v.exactOptional(v.string()),
  /** `null` when no image of that part has a mask. */
  val: v.nullable(evaluationSchema),
  test: v.nullable(evaluationSchema),
  /** Counts of every single image, relative to the project folder. */
  imageScores: v.string(),
});
export type FinetuneResult = Readonly<v.InferOutput<typeof finetuneResultSchema>>;

/**
 * Serves the best weights (`final` checkpoint) and scores them on all held-out images. Done again
 * from the start when it is interrupted.
 */
export async function storeFinal(
  training: Training,
  { step: steps, trainedSeconds }: Position,
): Promise<void> {
  const { project, run, data } = training;
  const best = defined(project.checkpoints.get(run.id, 'best'), 'the best weights');
  project.checkpoints.put({ ...best, kind: 'final' });
  const params = readSafetensors(project.path(best.file)).tensors;
  const val = await finalScores(training, params, data.valIds, 'validation');
  const test = await finalScores(training, params, data.testIds, 'test');
  if (data.hasNewLabels()) {
    training.control.notice(
      'Labels were changed while this model was trained: it learned from the earlier ones. Train a new one to use them all.',
    );
  }
  const file = `runs/${run.id}/image-scores.json`;
  const images = { val: val?.images ?? [], test: test?.images ?? [] };
  writeImageScores(project.path(file), images);
  project.runs.setResult(run.id, {
    servedStep: best.step,
    steps,
    trainedSeconds,
    trainImages: data.trainIds.length,
    labelRevision: data.labelRevision,
    val: summary(val),
    test: summary(test),
    imageScores: file,
  });
}

async function finalScores(
  { predictor, data, control }: Training,
  params: HostTensors,
  imageIds: readonly string[],
  part: string,
): Promise<Evaluation | undefined> {
  if (imageIds.length === 0) return undefined;
  return evaluate(predictor, {
    params,
    imageIds,
    open: data.open,
    signal: control.signal,
    onImage: (done, total) =>
      control.report({ phase: `Scoring the ${part} images`, done, total, unit: 'image' }),
  });
}

function summary(evaluation: Evaluation | undefined) {
  if (evaluation === undefined) return null;
  const { scores, confusion } = evaluation;
  return { scores, confusion };
}

function scoreOf(project: Project, file: string): number {
  return Number(readSafetensors(project.path(file)).metadata['quickMeanIou'] ?? -1);
}

function removeUnlistedWeights(project: Project, runId: string): void {
  const folder = project.runFolder(runId);
  const listed = new Set(project.checkpoints.list(runId).map(({ file }) => project.path(file)));
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith('weights-') && !listed.has(path)) rmSync(path, { force: true });
  }
}
