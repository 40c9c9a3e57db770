import * as v from 'valibot';
import { AppError, defined } from '../lib/errors.ts';
import { appVersion } from '../lib/version.ts';
import { SegmentationConfigSchema } from '../nn/config.ts';
import { readSafetensorsHeader } from '../nn/safetensors.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import type { ModelDescription } from './model-description.ts';

/** The fields of a fine-tuning run that a model needs; the run's own schema knows them all. */
const configSchema = v.object({ tilePx: v.number(), scale: v.number() });

const classesSchema = v.array(v.object({ name: v.string(), color: v.string() }));

const scoresSchema = v.object({
  scores: v.object({
    classes: v.array(v.object({ iou: v.nullable(v.number()), dice: v.nullable(v.number()) })),
    meanIou: v.nullable(v.number()),
    meanDice: v.nullable(v.number()),
    pixelAccuracy: v.nullable(v.number()),
  }),
});
const resultSchema = v.object({
  trainImages: v.number(),
  val: v.nullable(scoresSchema),
  test: v.nullable(scoresSchema),
});

/**
 * Describes the model of a fine-tuning run without reading its weights.
 * @throws AppError `runs.no-model`
 */
export function describeRunModel(project: Project, runId: string, license = ''): ModelDescription {
  const { run, file } = servedRun(project, runId);
  const { metadata } = readSafetensorsHeader(file);
  return runDescription(project, run, { metadata, license });
}

/**
 * A fine-tuning run and the file of its served weights.
 * @throws AppError `runs.no-model`
 */
export function servedRun(
  project: Project,
  runId: string,
): { readonly run: RunRow; readonly file: string } {
  const run = defined(project.runs.get(runId), `run ${runId}`);
  const checkpoint =
    project.checkpoints.get(runId, 'final') ?? project.checkpoints.get(runId, 'best');
  if (run.kind === 'finetune' && checkpoint !== undefined) {
    return { run, file: project.path(checkpoint.file) };
  }
  throw new AppError(
    'runs.no-model',
    run.kind === 'finetune'
      ? `${run.name} has no finished model yet. Let it run, or resume it with "decon resume ${run.name}".`
      : `${run.name} is a pre-training and does not segment. Fine-tune it first with "decon finetune --from ${run.name}".`,
  );
}

/** Describes a run whose weights say `metadata`. */
export function runDescription(
  project: Project,
  run: RunRow,
  file: { readonly metadata: Readonly<Record<string, string>>; readonly license: string },
): ModelDescription {
  const network = v.parse(SegmentationConfigSchema, JSON.parse(file.metadata['network'] ?? '{}'));
  const { tilePx, scale } = v.parse(configSchema, run.config);
  const classes = trainedClasses(project, file.metadata, network.classes);
  const scores = scoresOf(project, run, classes);
  return {
    name: run.name,
    classes,
    tileSizePx: tilePx,
    scale,
    network,
    provenance: provenanceOf(project, run),
    ...(scores === undefined ? {} : { scores }),
    license: file.license,
  };
}

/**
 * The classes of the network's outputs: those that the project had when it was trained, which its
 * weights remember; weights of earlier versions do not, so they get the project's present ones.
 */
function trainedClasses(
  project: Project,
  metadata: Readonly<Record<string, string>>,
  count: number,
): ModelDescription['classes'] {
  const stored = metadata['classes'];
  const classes =
    stored === undefined ? project.classes.list() : v.parse(classesSchema, JSON.parse(stored));
  return classes.slice(0, count).map(({ name, color }, index) => ({ index, name, color }));
}

function provenanceOf(project: Project, run: RunRow): ModelDescription['provenance'] {
  const parent = run.parentRunId === null ? undefined : project.runs.get(run.parentRunId);
  const result = v.safeParse(resultSchema, run.result);
  const usable = (split: 'train' | 'unlabelled'): number =>
    project.images.count({ split, status: 'usable' });
  return {
    appVersion: appVersion(),
    createdAt: new Date(run.finishedAt ?? run.createdAt).toISOString(),
    runId: run.id,
    runName: run.name,
    start: parent === undefined ? run.start : `${run.start} of ${parent.name}`,
    seed: run.seed,
    ...(result.success ? { trainingImages: result.output.trainImages } : {}),
    ...(parent?.kind === 'pretrain'
      ? { pretrainingImages: usable('train') + usable('unlabelled') }
      : {}),
    config: { ...run.config },
  };
}

/** Scores on the test images, or on the validation images where there are no others. */
function scoresOf(
  project: Project,
  run: RunRow,
  classes: ModelDescription['classes'],
): ModelDescription['scores'] {
  const result = v.safeParse(resultSchema, run.result);
  if (!result.success) return undefined;
  const split = result.output.test === null ? 'val' : 'test';
  const scores = result.output[split]?.scores;
  if (scores === undefined) return undefined;
  return {
    split,
    images: project.images.count({ split, status: 'usable', hasMask: true }),
    ...present({
      meanIou: scores.meanIou,
      meanDice: scores.meanDice,
      pixelAccuracy: scores.pixelAccuracy,
    }),
    classes: scores.classes.map(({ iou, dice }, i) => ({
      name: classes[i]?.name ?? String(i),
      ...present({ iou, dice }),
    })),
  };
}

/** The entries that have a value. */
function present<K extends string>(
  values: Readonly<Record<K, number | null>>,
): Partial<Record<K, number>> {
  const result: Partial<Record<K, number>> = {};
  for (const key in values) {
    const value = values[key];
    if (value !== null) result[key] = value;
  }
  return result;
}
