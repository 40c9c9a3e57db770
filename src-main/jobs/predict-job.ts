import * as v from 'valibot';
import { imageFactsSchema } from '../datasets/image-facts.ts';
import type { Device } from '../graph/types.ts';
import {
  classMapFolder,
  fileKey,
  imageMapKey,
  pruneClassMaps,
  readClassMapFacts,
  runModelKey,
} from '../inference/class-map.ts';
import type { LoadedModel } from '../inference/model-file.ts';
import type { InputFile } from '../inference/output-names.ts';
import type { PreviewOptions } from '../inference/preview.ts';
import { AppError, assertNever, defined, throwIfCancelled } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import type { Project } from '../project/project.ts';
import type { JsonObject } from '../project/values.ts';
import {
  predictOptionsSchema,
  previewOptionsSchema,
  type ModelSource,
  type PredictJobOptions,
  type PreviewJobOptions,
} from './job-options.ts';

/** Work on a device that was chosen already. */
interface Work {
  readonly project: Project;
  readonly device: Device;
  readonly control: RunControl;
}

/** Predicts pictures into a folder, or a few of them to look at, as the options of the job say. */
export async function runPrediction(work: Work, options: JsonObject): Promise<JsonObject> {
  const preview = v.safeParse(previewOptionsSchema, options);
  return preview.success
    ? showPredictions(work, preview.output)
    : predictInto(work, v.parse(predictOptionsSchema, options));
}

async function predictInto(
  { project, device, control }: Work,
  { model: source, inputs, ...options }: PredictJobOptions,
): Promise<JsonObject> {
  const { predictFolder } = await import('../inference/predict.ts');
  const model = await loadModel(project, source, device);
  try {
    const files = 'split' in inputs ? imageFiles(project, inputs.split) : inputs;
    const request = { ...options, inputs: files };
    const { predicted, skipped, ...rest } = await predictFolder(model, request, control);
    const shown = skipped.slice(0, mostSkippedStored);
    return {
      ...rest,
      predicted: predicted.length,
      skipped: shown,
      skippedCount: skipped.length,
      outDir: options.outDir,
    };
  } finally {
    await model.dispose();
  }
}

/** The rest of a long list stands in `predictions.json`. */
const mostSkippedStored = 500;

/** The usable images of the project, by their path below their folder. */
function imageFiles(
  project: Project,
  split: Extract<PredictJobOptions['inputs'], { split: unknown }>['split'],
): readonly InputFile[] {
  const wanted = { status: 'usable' as const, ...(split === null ? {} : { split }) };
  return project.images
    .list(wanted)
    .map((image) => ({ path: project.images.pathOf(image), relPath: image.relPath }));
}

/**
 * Makes the class maps of a few images, each by all models, those asked for first first. What is
 * there already is left. A fault of the first image is the job's; those ahead are tried again when
 * they are opened.
 */
async function showPredictions(
  { project, device, control }: Work,
  options: PreviewJobOptions,
): Promise<JsonObject> {
  const { predictClassMap } = await import('../inference/preview.ts');
  pruneClassMaps(project);
  const models = new Map<ModelSource, Promise<LoadedModel>>();
  const total = options.images.length * options.models.length;
  let done = 0;
  try {
    for (const [index, image] of options.images.entries()) {
      for (const source of options.models) {
        throwIfCancelled(control.signal);
        const place = placeOf(project, source, image);
        done += 1;
        if (readClassMapFacts(place.folder)?.state === 'complete') continue;
        const model = models.get(source) ?? loadModel(project, source, device);
        models.set(source, model);
        const task: PreviewOptions = {
          signal: control.signal,
          ...place.known,
          onTiles: previewProgress(control, { item: done - 1, total }),
        };
        try {
          await predictClassMap(model, place.path, place.folder, task);
        } catch (error) {
          if (index === 0 || !(error instanceof AppError)) throw error;
        }
      }
    }
  } finally {
    for (const model of await Promise.allSettled(models.values())) {
      if (model.status === 'fulfilled') await model.value.dispose();
    }
  }
  return {};
}

interface PreviewPlace {
  readonly path: string;
  readonly folder: string;
  readonly known: Pick<PreviewOptions, 'facts'>;
}

function placeOf(
  project: Project,
  source: ModelSource,
  image: PreviewJobOptions['images'][number],
): PreviewPlace {
  const modelKey = modelKeyOf(project, source);
  if (image.type === 'file') {
    const key = existing(fileKey(image.path), image.path);
    return { path: image.path, folder: classMapFolder(project, modelKey, key), known: {} };
  }
  const row = defined(project.images.get(image.imageId), 'image');
  return {
    path: project.images.pathOf(row),
    folder: classMapFolder(project, modelKey, imageMapKey(row)),
    known: { facts: v.parse(imageFactsSchema, row.facts) },
  };
}

/** Names the weights of a model in the cache. @throws AppError `predict.gone` */
export function modelKeyOf(project: Project, source: ModelSource): string {
  switch (source.type) {
    case 'run': {
      const run = project.runs.get(source.runId)?.name ?? 'This run';
      return existing(runModelKey(project, source.runId), `The model of ${run}`);
    }
    case 'file':
      return existing(fileKey(source.path), source.path);
    default:
      return assertNever(source);
  }
}

function existing(key: string | undefined, name: string): string {
  if (key !== undefined) return key;
  throw new AppError('predict.gone', `${name} is not there any more. Choose again.`);
}

/** Progress of the picture at hand; `values.item` tells which one. */
function previewProgress(
  control: RunControl,
  place: { readonly item: number; readonly total: number },
): (done: number, total: number) => void {
  const started = performance.now();
  return (done, total) => {
    const remaining = ((performance.now() - started) / 1000) * (total / done - 1);
    control.report({
      phase: 'Predicting',
      done,
      total,
      unit: 'tile',
      ...(done < 2 ? {} : { remainingSeconds: [remaining * 0.8, remaining * 1.3] as const }),
      values: { item: place.item, items: place.total },
    });
  };
}

async function loadModel(
  project: Project,
  source: ModelSource,
  device: Device,
): Promise<LoadedModel> {
  switch (source.type) {
    case 'run': {
      const { loadRunModel } = await import('../inference/run-model.ts');
      return loadRunModel(project, source.runId, device);
    }
    case 'file': {
      const { loadModelFile } = await import('../inference/model-file.ts');
      return loadModelFile(source.path, device);
    }
    default:
      return assertNever(source);
  }
}
