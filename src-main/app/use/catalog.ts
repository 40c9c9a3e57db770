import { statSync } from 'node:fs';
import * as v from 'valibot';
import type { Model, Models } from '../../contract/use.ts';
import { bestRun } from '../../finetune/best-run.ts';
import { parseFinetuneConfig } from '../../finetune/config.ts';
import { finetuneResultSchema } from '../../finetune/result.ts';
import { fileKey } from '../../inference/class-map.ts';
import type { ModelDescription } from '../../inference/model-description.ts';
import { readModelDescription } from '../../inference/model-reader.ts';
import type { ModelSource } from '../../jobs/job-options.ts';
import { modelKeyOf } from '../../jobs/predict-job.ts';
import { AppError, defined } from '../../lib/errors.ts';
import type { Project } from '../../project/project.ts';
import type { RunRow } from '../../project/runs.ts';
import type { Split } from '../../project/values.ts';
import type { Places } from '../places.ts';
import { withTilde } from '../places.ts';

const addedKey = 'use.modelFiles';
const addedSchema = v.array(v.string());

/** What a model file says, by content; reading it means reading all of its weights. */
const descriptions = new Map<string, ModelDescription>();

/** Every model that segments, the best first, with the one to look at beside it. */
export function listModels(project: Project, places: Places): Models {
  const best = bestRun(project);
  const baseline = best === undefined ? undefined : baselineOf(project, best);
  const runs = finishedRuns(project)
    .map((run) => runModel(project, run, run.id === baseline?.id))
    .sort((a, b) => (b.valMeanIou ?? -1) - (a.valMeanIou ?? -1));
  const files: Model[] = [];
  const missing: Models['missing'][number][] = [];
  for (const path of addedFiles(project)) {
    const { placeId, name } = places.add(path);
    const modelId = `file.${placeId}`;
    try {
      files.push(fileModel(path, modelId));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      missing.push({ modelId, name, fault: { code: error.code, message: error.message } });
    }
  }
  const offered = runs.find(({ runId }) => runId === best?.id);
  return {
    models: [...runs, ...files],
    best: offered === undefined ? null : { modelId: offered.id, why: whyOffered(offered, runs) },
    baselineId: baseline === undefined ? null : `run.${baseline.id}`,
    missing,
    pretrainings: project.runs
      .list('pretrain')
      .filter(({ id }) => project.checkpoints.get(id, 'final') !== undefined)
      .map(({ id, name }) => ({ runId: id, name })),
  };
}

/**
 * Takes a model file into the list of the project; the file stays where it is.
 * @throws AppError `model.missing`, `model.foreign`, `model.newer-version`, `model.damaged`
 */
export function addModelFile(project: Project, places: Places, placeId: string): Model {
  const path = places.pathOf(placeId);
  const model = fileModel(path, `file.${placeId}`);
  const others = addedFiles(project).filter((added) => added !== path);
  project.settings.set(addedKey, [...others, path]);
  return model;
}

export function forgetModelFile(project: Project, places: Places, modelId: string): void {
  const source = sourceOf(places, modelId);
  if (source.type !== 'file') return;
  const others = addedFiles(project).filter((added) => added !== source.path);
  project.settings.set(addedKey, others);
}

/** Where the weights of a model are. @throws AppError `places.unknown` */
export function sourceOf(places: Places, modelId: string): ModelSource {
  const id = modelId.slice(modelId.indexOf('.') + 1);
  return modelId.startsWith('run.')
    ? { type: 'run', runId: id }
    : { type: 'file', path: places.pathOf(id) };
}

/** What a model tells about itself: name, classes, tiles. @throws AppError `model.*` */
export function findModel(project: Project, places: Places, modelId: string): Model {
  const source = sourceOf(places, modelId);
  if (source.type === 'file') return fileModel(source.path, modelId);
  const run = project.runs.get(source.runId);
  if (run !== undefined) return runModel(project, run, false);
  throw new AppError('models.unknown', 'This model is no longer in the project. Choose another.');
}

/** Names a model in the cache of predictions. */
export function modelCacheKey(project: Project, places: Places, modelId: string): string {
  return modelKeyOf(project, sourceOf(places, modelId));
}

function finishedRuns(project: Project): RunRow[] {
  return project.runs
    .list('finetune')
    .filter(
      ({ id, result }) => result !== null && project.checkpoints.get(id, 'final') !== undefined,
    );
}

function addedFiles(project: Project): readonly string[] {
  return project.settings.get(addedKey, addedSchema) ?? [];
}

/** The best model without pre-training that saw as many labels. */
function baselineOf(project: Project, best: RunRow): RunRow | undefined {
  const { fraction } = parseFinetuneConfig(best.config);
  return finishedRuns(project)
    .filter(
      (run) =>
        run.id !== best.id &&
        run.start === 'random' &&
        parseFinetuneConfig(run.config).fraction === fraction,
    )
    .sort((a, b) => (valScore(b) ?? -1) - (valScore(a) ?? -1))[0];
}

function whyOffered({ valMeanIou }: Model, runs: readonly Model[]): string {
  if (runs.length === 1) return 'The only finished model of this project.';
  if (valMeanIou === null) return 'The first finished model; none was scored.';
  return `Highest score of ${runs.length} models on the validation images; the test images had no part in the choice.`;
}

function runModel(project: Project, run: RunRow, isBaseline: boolean): Model {
  const config = parseFinetuneConfig(run.config);
  const parsed = v.safeParse(finetuneResultSchema, run.result);
  const result = parsed.success ? parsed.output : undefined;
  const parent = run.parentRunId === null ? undefined : project.runs.get(run.parentRunId);
  const set = result !== undefined && result.test !== null ? 'test' : 'val';
  const scores = result?.[set]?.scores;
  return {
    id: `run.${run.id}`,
    name: run.name,
    source: 'run',
    runId: run.id,
    shown: null,
    classes: project.classes
      .list()
      .map(({ classIndex, name, color }) => ({ index: classIndex, name, color })),
    score:
      scores === undefined
        ? null
        : {
            meanIou: scores.meanIou,
            meanDice: scores.meanDice,
            set,
            images: labelledImages(project, set),
          },
    valMeanIou: valScore(run),
    labelShare: config.fraction,
    trainingImages: result?.trainImages ?? null,
    start: startInWords(run.start, parent?.name),
    isBaseline,
    madeAt: run.finishedAt,
    tileSizePx: config.tilePx,
    scale: config.scale,
  };
}

function valScore(run: RunRow): number | null {
  const result = v.safeParse(finetuneResultSchema, run.result);
  return result.success ? (result.output.val?.scores.meanIou ?? null) : null;
}

function labelledImages(project: Project, split: Split): number {
  return project.images.count({ split, status: 'usable', hasMask: true });
}

function startInWords(start: RunRow['start'], parent: string | undefined): string {
  switch (start) {
    case 'random':
      return 'no pre-training';
    case 'encoder':
      return `encoder of ${parent ?? 'a deleted run'}`;
    case 'encoder+decoder':
      return `encoder and decoder of ${parent ?? 'a deleted run'}`;
    case 'file':
      return 'weights from a file';
  }
}

function fileModel(path: string, modelId: string): Model {
  const description = describedFile(path);
  const { provenance, scores, classes, tileSizePx, scale } = description;
  return {
    id: modelId,
    name: description.name,
    source: 'file',
    runId: null,
    shown: withTilde(path),
    classes: [...classes].sort((a, b) => a.index - b.index),
    score:
      scores === undefined
        ? null
        : {
            meanIou: scores.meanIou ?? null,
            meanDice: scores.meanDice ?? null,
            set: scores.split === 'test' ? 'test' : 'val',
            images: scores.images,
          },
    valMeanIou: null,
    labelShare: null,
    trainingImages: provenance.trainingImages ?? null,
    start: provenance.start ?? 'not recorded',
    isBaseline: false,
    madeAt: Date.parse(provenance.createdAt) || null,
    tileSizePx,
    scale,
  };
}

function describedFile(path: string): ModelDescription {
  const key = fileKey(path);
  if (key === undefined || statSync(path).isDirectory()) {
    throw new AppError('model.missing', `The model ${withTilde(path)} cannot be read any more.`);
  }
  const known = descriptions.get(key);
  if (known === undefined) descriptions.set(key, readModelDescription(path));
  return defined(descriptions.get(key), 'description');
}
