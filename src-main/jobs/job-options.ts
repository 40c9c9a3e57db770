import * as v from 'valibot';
import { maskChoiceSchema } from '../datasets/mask-choice.ts';
import { groupBySchema } from '../datasets/stored-settings.ts';
import { PretrainConfigSchema } from '../pretrain/config.ts';

/** What the rows of jobs hold as their options, by type of job. Paths are absolute. */

export const trainingOptionsSchema = v.object({
  /** A device's name, or `auto`. */
  device: v.optional(v.string(), 'auto'),
  /** Pre-training: images whose slots are drawn during the run; well spread ones without. */
  slotImageIds: v.exactOptional(v.array(v.string())),
});

export const calibrateOptionsSchema = v.object({
  device: v.optional(v.string(), 'auto'),
  /** Resolved settings of the pre-trainings to be measured. */
  configs: v.array(PretrainConfigSchema),
});

/** The run whose model predicts, or a model file. */
const modelSource = v.variant('type', [
  v.object({ type: v.literal('run'), runId: v.string() }),
  v.object({ type: v.literal('file'), path: v.string() }),
]);
export type ModelSource = Readonly<v.InferOutput<typeof modelSource>>;

export const predictOptionsSchema = v.object({
  model: modelSource,
  device: v.optional(v.string(), 'auto'),
  /** Files and folders; or images of the project. */
  inputs: v.union([
    v.array(v.string()),
    v.object({ split: v.nullable(v.picklist(['train', 'val', 'test', 'unlabelled'])) }),
  ]),
  outDir: v.string(),
  names: v.exactOptional(v.string()),
  overlays: v.exactOptional(v.boolean()),
  probabilities: v.exactOptional(v.picklist(['none', '8bit', 'float32'])),
  existing: v.exactOptional(v.picklist(['refuse', 'replace', 'keep'])),
  pixelSizeUm: v.exactOptional(v.number()),
});
export type PredictJobOptions = Readonly<v.InferOutput<typeof predictOptionsSchema>>;

/** Predictions to look at, in the cache of the project; the first image matters, the rest is ahead. */
export const previewOptionsSchema = v.object({
  mode: v.literal('preview'),
  models: v.array(modelSource),
  device: v.optional(v.string(), 'auto'),
  images: v.array(
    v.variant('type', [
      v.object({ type: v.literal('image'), imageId: v.string() }),
      v.object({ type: v.literal('file'), path: v.string() }),
    ]),
  ),
});
export type PreviewJobOptions = Readonly<v.InferOutput<typeof previewOptionsSchema>>;

/** The run is named here and not by the job: a job of a run changes the state of the run. */
export const exportOptionsSchema = v.object({
  runId: v.string(),
  target: v.picklist(['onnx', 'torchvision', 'mmsegmentation', 'detectron2']),
  outDir: v.exactOptional(v.string()),
  license: v.exactOptional(v.string()),
});
export type ExportJobOptions = Readonly<v.InferOutput<typeof exportOptionsSchema>>;

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const shares = v.object({ train: share, val: share, test: share });

export const importOptionsSchema = v.object({
  imagesPath: v.string(),
  masksPath: v.exactOptional(v.string()),
  labels: v.exactOptional(v.literal('leave')),
  mapping: v.exactOptional(maskChoiceSchema),
  maskFormat: v.exactOptional(v.picklist(['index', 'palette', 'rgb', 'coco'])),
  classesFile: v.exactOptional(v.string()),
  splitFile: v.exactOptional(v.string()),
  groupBy: v.exactOptional(groupBySchema),
  splitShares: v.exactOptional(shares),
  seed: v.exactOptional(v.number()),
});

/** What a job of type `import` does: one folder, or as `task` says. */
export const importJobSchema = v.union([
  /** Several folders, one after the other. */
  v.object({ task: v.literal('folders'), folders: v.array(importOptionsSchema) }),
  /** Looks at masks without importing them. */
  v.object({ task: v.literal('survey'), masksPath: v.string() }),
  /** Divides all images into groups and parts anew. */
  v.object({
    task: v.literal('split'),
    groupBy: v.nullable(groupBySchema),
    shares,
    seed: v.number(),
  }),
  v.object({ task: v.literal('remove'), folderId: v.string() }),
  importOptionsSchema,
]);
export type ImportJobOptions = Readonly<v.InferOutput<typeof importJobSchema>>;

export const suggestOptionsSchema = v.object({
  strategy: v.optional(v.picklist(['auto', 'different', 'uncertain', 'spread']), 'auto'),
  /** A pre-trained or fine-tuned run; the newest one when absent. */
  runId: v.exactOptional(v.string()),
});

export const proposeOptionsSchema = v.object({
  /** A fine-tuned run. */
  runId: v.string(),
  images: v.variant('type', [
    v.object({ type: v.literal('chosen'), imageIds: v.array(v.string()) }),
    v.object({ type: v.literal('next'), count: v.number() }),
  ]),
});
