import * as v from 'valibot';

/** What the rows of jobs hold as their options, by type of job. Paths are absolute. */

export const trainingOptionsSchema = v.object({
  /** A device's name, or `auto`. */
  device: v.optional(v.string(), 'auto'),
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

export const exportOptionsSchema = v.object({
  target: v.picklist(['onnx', 'torchvision', 'mmsegmentation', 'detectron2']),
  outDir: v.exactOptional(v.string()),
  license: v.exactOptional(v.string()),
});
export type ExportJobOptions = Readonly<v.InferOutput<typeof exportOptionsSchema>>;

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

export const importOptionsSchema = v.object({
  imagesPath: v.string(),
  masksPath: v.exactOptional(v.string()),
  maskFormat: v.exactOptional(v.picklist(['index', 'palette', 'rgb', 'coco'])),
  classesFile: v.exactOptional(v.string()),
  splitFile: v.exactOptional(v.string()),
  groupBy: v.exactOptional(
    v.variant('type', [
      v.object({ type: v.literal('folder') }),
      v.object({ type: v.literal('pattern'), pattern: v.string() }),
    ]),
  ),
  splitShares: v.exactOptional(v.object({ train: share, val: share, test: share })),
  seed: v.exactOptional(v.number()),
});
