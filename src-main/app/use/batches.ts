import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import type { Batch, BatchPlan } from '../../contract/use.ts';
import { walkFolder } from '../../datasets/walk.ts';
import { planOutputNames, type NamePlan } from '../../inference/output-names.ts';
import { maskName } from '../../inference/output-paths.ts';
import { predictOptionsSchema, type PredictJobOptions } from '../../jobs/job-options.ts';
import { AppError } from '../../lib/errors.ts';
import type { JobRow } from '../../project/jobs.ts';
import type { Project } from '../../project/project.ts';
import type { Places } from '../places.ts';
import type { Workspace } from '../workspace.ts';
import { findModel, sourceOf } from './catalog.ts';
import type { ChosenInputs } from './inputs.ts';

/** What a batch is asked with. */
export interface BatchRequest {
  readonly modelId: string;
  readonly outPlaceId: string;
  readonly names: string;
  readonly overlays: boolean;
  readonly probabilities: 'none' | '8bit' | 'float32';
  readonly existing: 'refuse' | 'replace' | 'keep';
  readonly pixelSizeUm?: number | undefined;
}

const shownNames = 12;
const shownCollisions = 20;
const listedBatches = 10;
/** Sizes of images of the project that are looked at to tell what will be written. */
const sampledImages = 200;

/** What a batch would write where, before anything is written. */
export async function planBatch(
  workspace: Workspace,
  inputs: ChosenInputs,
  request: Omit<BatchRequest, 'outPlaceId'> & { readonly outPlaceId?: string | undefined },
): Promise<BatchPlan> {
  const { project, places } = workspace;
  const outDir = request.outPlaceId === undefined ? undefined : places.pathOf(request.outPlaceId);
  const files = inputs.files(project);
  const model = findModel(project, places, request.modelId);
  const base = {
    total: files.length,
    neededBytes: neededBytes(project, inputs, request, model.classes.length),
    freeBytes: outDir === undefined ? null : freeBytes(outDir),
  };
  const nothing = { names: [], collisions: [], collisionCount: 0, existingCount: 0 };
  let plan: NamePlan;
  try {
    plan = planOutputNames(files, request.names, model.name);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...base, ...nothing, fault: { code: error.code, message: error.message } };
  }
  const there = outDir === undefined ? new Set<string>() : await existingMasks(outDir);
  const existingCount = plan.inputs.filter((input) => there.has(maskName(input))).length;
  return {
    ...base,
    names: plan.inputs
      .slice(0, shownNames)
      .map((input) => ({ input: input.relPath, output: maskName(input) })),
    collisions: plan.warnings.slice(0, shownCollisions),
    collisionCount: plan.warnings.length,
    existingCount,
    fault: faultOf(request, { ...base, existingCount }),
  };
}

/** Starts a batch as a job. @throws AppError `predict.no-pictures`, `model.*` */
export function startBatch(
  workspace: Workspace,
  inputs: ChosenInputs,
  { modelId, outPlaceId, pixelSizeUm, ...request }: BatchRequest,
): JobRow {
  const { project, places, queue } = workspace;
  findModel(project, places, modelId);
  const options: PredictJobOptions = {
    ...request,
    model: sourceOf(places, modelId),
    device: 'auto',
    inputs: inputs.forJob(),
    outDir: places.pathOf(outPlaceId),
    ...(pixelSizeUm === undefined ? {} : { pixelSizeUm }),
  };
  return queue.add({ type: 'predict', options });
}

const resultSchema = v.object({
  predicted: v.number(),
  kept: v.number(),
  stopped: v.boolean(),
  seconds: v.number(),
  skipped: v.array(v.object({ input: v.string(), message: v.string() })),
  skippedCount: v.number(),
});

/** The last batches, newest first. */
export function listBatches(project: Project, places: Places): Batch[] {
  return project.jobs
    .list()
    .filter(({ type }) => type === 'predict')
    .toReversed()
    .flatMap((job) => {
      const options = v.safeParse(predictOptionsSchema, job.options);
      return options.success ? [batchOf(project, places, job, options.output)] : [];
    })
    .slice(0, listedBatches);
}

function batchOf(
  project: Project,
  places: Places,
  job: JobRow,
  { model, outDir }: PredictJobOptions,
): Batch {
  const result = v.safeParse(resultSchema, job.result);
  const done = result.success
    ? result.output
    : { predicted: 0, kept: 0, stopped: false, seconds: 0, skipped: [], skippedCount: 0 };
  return {
    ...done,
    jobId: job.id,
    status: job.status,
    error: job.error,
    at: job.createdAt,
    modelName:
      model.type === 'run'
        ? (project.runs.get(model.runId)?.name ?? 'a deleted run')
        : places.add(model.path).name,
    folder: places.add(outDir),
  };
}

function faultOf(
  request: Pick<BatchRequest, 'existing'>,
  plan: Pick<BatchPlan, 'total' | 'existingCount' | 'neededBytes' | 'freeBytes'>,
): BatchPlan['fault'] {
  if (plan.total === 0) {
    return { code: 'predict.no-pictures', message: 'Choose images or a folder first.' };
  }
  if (request.existing === 'refuse' && plan.existingCount > 0) {
    return {
      code: 'predict.exists',
      message: `The folder holds ${plan.existingCount} of these masks already. Say below whether to replace or to keep them, or choose another folder.`,
    };
  }
  const { neededBytes, freeBytes: free } = plan;
  if (neededBytes !== null && free !== null && neededBytes > free) {
    return {
      code: 'disk.full',
      message: 'This will not fit on the disk. Choose a folder on another one, or write less.',
    };
  }
  return null;
}

/** Names of the masks that are there, below the output folder. */
async function existingMasks(outDir: string): Promise<ReadonlySet<string>> {
  const folder = `${outDir}/masks`;
  if (!existsSync(folder)) return new Set();
  const { files } = await walkFolder(folder);
  return new Set(files.map(({ relPath }) => `masks/${relPath}`));
}

/**
 * About what will be written, for images of the project, whose sizes are known: masks compress to
 * about a tenth of a byte a pixel, overlays to a half, probabilities hardly.
 */
function neededBytes(
  project: Project,
  inputs: ChosenInputs,
  { overlays, probabilities }: Pick<BatchRequest, 'overlays' | 'probabilities'>,
  classCount: number,
): number | null {
  const { source, total } = inputs.summary(project);
  if (source !== 'project') return null;
  const sample = inputs.page(project, 0, sampledImages).flatMap(({ imageId }) => {
    const image = imageId === null ? undefined : project.images.get(imageId);
    return image === undefined ? [] : [image.widthPx * image.heightPx];
  });
  if (sample.length === 0) return 0;
  const pixels = (sample.reduce((sum, count) => sum + count, 0) / sample.length) * total;
  const perPixel =
    0.1 + (overlays ? 0.5 : 0) + classCount * { none: 0, '8bit': 0.7, float32: 4 }[probabilities];
  return Math.ceil(pixels * perPixel);
}

/** Of the disk that a folder is or will be on. */
function freeBytes(folder: string): number {
  if (!existsSync(folder)) return freeBytes(dirname(folder));
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
