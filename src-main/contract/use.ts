import * as v from 'valibot';
import { procedure, stream } from './procedure.ts';
import {
  count,
  fault,
  id,
  pageInput,
  place,
  range,
  share,
  shortText,
  status,
  time,
} from './values.ts';

/** A model that segments: a finished fine-tuning of the project, or an ONNX file of ours. */
const model = v.object({
  /** `run.ID` or `file.ID`. */
  id,
  name: v.string(),
  source: v.picklist(['run', 'file']),
  /** A run's; absent for files. */
  runId: v.nullable(id),
  /** Where a file lies, for people. */
  shown: v.nullable(v.string()),
  classes: v.array(v.object({ index: count, name: v.string(), color: v.string() })),
  /** Null when there were no labelled images to measure it on. */
  score: v.nullable(
    v.object({
      meanIou: v.nullable(v.number()),
      meanDice: v.nullable(v.number()),
      /** The images it was measured on. */
      set: v.picklist(['test', 'val']),
      images: count,
    }),
  ),
  /** Mean IoU on the validation images, by which models are ranked. */
  valMeanIou: v.nullable(v.number()),
  /** Share of the labelled training images that it learned from. */
  labelShare: v.nullable(share),
  trainingImages: v.nullable(count),
  /** What its weights started from, in words. */
  start: v.string(),
  isBaseline: v.boolean(),
  madeAt: v.nullable(time),
  tileSizePx: count,
  scale: v.number(),
});
export type Model = Readonly<v.InferOutput<typeof model>>;

const models = v.object({
  /** Best first. */
  models: v.array(model),
  /** The model offered first, and why. */
  best: v.nullable(v.object({ modelId: id, why: v.string() })),
  /** The model without pre-training to look at beside it. */
  baselineId: v.nullable(id),
  /** Model files that were added and cannot be read any more. */
  missing: v.array(v.object({ modelId: id, name: v.string(), fault })),
  /** Finished pre-trainings, whose weights can be exported. */
  pretrainings: v.array(v.object({ runId: id, name: v.string() })),
});
export type Models = Readonly<v.InferOutput<typeof models>>;

export const exportTarget = v.picklist(['onnx', 'torchvision', 'mmsegmentation', 'detectron2']);
export type ExportTarget = v.InferOutput<typeof exportTarget>;

/** A page in Markdown: headings, paragraphs, lists, tables and code. */
const page = v.string();

const exported = v.object({
  jobId: id,
  runName: v.string(),
  target: exportTarget,
  status,
  error: v.nullable(fault),
  files: v.array(v.object({ place, bytes: count })),
  folder: v.nullable(place),
  /** ONNX: largest difference of a probability between the file and the trained network. */
  maxDifference: v.nullable(v.number()),
  page,
  at: time,
});
export type Exported = Readonly<v.InferOutput<typeof exported>>;

export const modelsContract = {
  list: procedure.output(models),
  /** Takes a model file from disk into the list. @throws `model.foreign`, `model.newer-version` */
  add: procedure.input(v.strictObject({ placeId: id })).output(model),
  /** Takes a file out of the list; the file stays. */
  forget: procedure.input(v.strictObject({ modelId: id })),
  /** The page that would be written beside the exported files. */
  card: procedure
    .input(v.strictObject({ runId: id, target: exportTarget, license: shortText }))
    .output(v.object({ page, files: v.array(v.string()) })),
  export: procedure
    .input(
      v.strictObject({
        runId: id,
        target: exportTarget,
        license: shortText,
        /** Default: the folder `models` of the project. */
        outPlaceId: v.optional(id),
      }),
    )
    .output(v.object({ jobId: id })),
  /** The last exports, newest first. */
  exports: procedure.output(v.array(exported)),
};

const input = v.object({
  /** `image.ID` or `file.ID`. */
  inputId: id,
  name: v.string(),
  /** Below the chosen folder. */
  relPath: v.string(),
  imageId: v.nullable(id),
  /** Of the prediction by the model that was asked about. */
  state: v.picklist(['none', 'partial', 'complete']),
});
export type Input = Readonly<v.InferOutput<typeof input>>;

const inputs = v.object({
  source: v.picklist(['none', 'places', 'project']),
  /** What was chosen, in words. */
  shown: v.string(),
  total: count,
  /** A folder is still being looked through. */
  isLooking: v.boolean(),
  /** Files that cannot be used, with the reason; at most 200. */
  problems: v.array(v.object({ path: v.string(), message: v.string() })),
  items: v.array(input),
});
export type Inputs = Readonly<v.InferOutput<typeof inputs>>;

const area = v.object({ leftPx: count, topPx: count, widthPx: count, heightPx: count });

/** A prediction as it grows. */
const preview = v.object({
  state: v.picklist(['none', 'waiting', 'working', 'complete', 'stopped', 'failed']),
  /** Null until the picture was opened. */
  size: v.nullable(v.object({ widthPx: count, heightPx: count })),
  done: count,
  total: count,
  remainingSeconds: v.nullable(range),
  /** Parts of the picture that are new since the last message. */
  changed: v.array(area),
  classPixels: v.array(count),
  /** Side of a pixel, when the file says it. */
  pixelSizeUm: v.nullable(v.number()),
  error: v.nullable(fault),
});
export type Preview = Readonly<v.InferOutput<typeof preview>>;
export type PreviewArea = Readonly<v.InferOutput<typeof area>>;

const areaRow = v.object({
  inputId: id,
  name: v.string(),
  widthPx: count,
  heightPx: count,
  classPixels: v.array(count),
  /** Side of a pixel, when the file says it. */
  pixelSizeUm: v.nullable(v.number()),
});
export type AreaRow = Readonly<v.InferOutput<typeof areaRow>>;

const batchOptions = {
  modelId: id,
  outPlaceId: id,
  names: v.pipe(shortText, v.minLength(1)),
  overlays: v.boolean(),
  probabilities: v.picklist(['none', '8bit', 'float32']),
  existing: v.picklist(['refuse', 'replace', 'keep']),
  /** Side of a pixel for the table of areas, where the user knows it. */
  pixelSizeUm: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1e9))),
};

const batchPlan = v.object({
  total: count,
  /** The first names, as they would be. */
  names: v.array(v.object({ input: v.string(), output: v.string() })),
  /** Sentences about names that two images would have shared; at most 20. */
  collisions: v.array(v.string()),
  collisionCount: count,
  /** Masks that are there already. */
  existingCount: count,
  /** About how much will be written where that is known, and how much is free there. */
  neededBytes: v.nullable(count),
  freeBytes: v.nullable(count),
  /** Why it cannot begin like this; null when it can. */
  fault: v.nullable(fault),
});
export type BatchPlan = Readonly<v.InferOutput<typeof batchPlan>>;

const batch = v.object({
  jobId: id,
  status,
  error: v.nullable(fault),
  at: time,
  modelName: v.string(),
  folder: place,
  predicted: count,
  kept: count,
  stopped: v.boolean(),
  seconds: v.number(),
  /** At most 500. */
  skipped: v.array(v.object({ input: v.string(), message: v.string() })),
  skippedCount: count,
});
export type Batch = Readonly<v.InferOutput<typeof batch>>;

export const predictionsContract = {
  /** What to predict: chosen files and folders, or images of the project. */
  choose: procedure.input(
    v.variant('source', [
      v.strictObject({
        source: v.literal('places'),
        placeIds: v.pipe(v.array(id), v.minLength(1), v.maxLength(20_000)),
      }),
      v.strictObject({
        source: v.literal('project'),
        split: v.nullable(v.picklist(['train', 'val', 'test', 'unlabelled'])),
      }),
    ]),
  ),
  inputs: procedure.input(v.strictObject({ ...pageInput, modelId: v.nullable(id) })).output(inputs),
  /** Begins to predict the first image, then the others; a prediction of other images ends. */
  show: procedure.input(
    v.strictObject({
      modelIds: v.pipe(v.array(id), v.minLength(1), v.maxLength(2)),
      inputIds: v.pipe(v.array(id), v.minLength(1), v.maxLength(4)),
      /** Makes it anew where a stopped or failed one stands. */
      again: v.boolean(),
    }),
  ),
  stop: procedure,
  watch: procedure.input(v.strictObject({ modelId: id, inputId: id })).output(stream(preview)),
  /** Areas of the images that this model has predicted, in the order of the inputs. */
  areas: procedure.input(v.strictObject({ modelId: id, ...pageInput })).output(
    v.object({
      rows: v.array(areaRow),
      predicted: count,
      totals: v.array(count),
    }),
  ),
  /** Writes the table of areas as `areas.csv`. */
  saveAreas: procedure
    .input(
      v.strictObject({
        modelId: id,
        outPlaceId: id,
        pixelSizeUm: v.optional(batchOptions.pixelSizeUm.wrapped),
      }),
    )
    .output(place),
  /** Names only, as long as no folder is chosen. */
  planBatch: procedure
    .input(v.strictObject({ ...batchOptions, outPlaceId: v.optional(id) }))
    .output(batchPlan),
  startBatch: procedure.input(v.strictObject(batchOptions)).output(v.object({ jobId: id })),
  /** The last ones, newest first. */
  batches: procedure.output(v.array(batch)),
};
