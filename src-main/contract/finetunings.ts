import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { metric, start } from './studies.ts';
import { count, id, pageInput, share, status, time } from './values.ts';

const score = v.nullable(v.number());
const part = v.picklist(['val', 'test']);
export type Part = v.InferOutput<typeof part>;

const summary = v.object({
  runId: id,
  name: v.string(),
  status,
  start,
  share,
  seed: count,
  /** Where its first weights come from. */
  parent: v.nullable(v.object({ runId: id, name: v.string() })),
  study: v.nullable(v.object({ studyId: id, name: v.string() })),
  createdAt: time,
  finishedAt: v.nullable(time),
  step: count,
  totalSteps: v.nullable(count),
  trainImages: v.nullable(count),
  /** On whole images; null when there is no result, no such image or no example. */
  valIou: score,
  testIou: score,
  testDice: score,
  /** Bytes of its weights; 0 when they are deleted. */
  bytes: count,
  hasModel: v.boolean(),
  /** The model that Use offers first: the best one on the validation images. */
  isOffered: v.boolean(),
});
export type Finetuning = Readonly<v.InferOutput<typeof summary>>;

const classScore = v.object({
  name: v.string(),
  color: v.string(),
  /** Null: no example. */
  iou: score,
  dice: score,
  truthPixels: count,
  predictedPixels: count,
});
export type ClassScore = Readonly<v.InferOutput<typeof classScore>>;

const partResult = v.object({
  images: count,
  meanIou: score,
  meanDice: score,
  pixelAccuracy: score,
  classes: v.array(classScore),
  /** [truth, predicted] pixels, row-major. */
  confusion: v.array(count),
});
export type PartResult = Readonly<v.InferOutput<typeof partResult>>;

const detail = v.object({
  ...summary.entries,
  servedStep: v.nullable(count),
  trainedSeconds: v.nullable(v.number()),
  device: v.nullable(v.string()),
  val: v.nullable(partResult),
  test: v.nullable(partResult),
  notices: v.array(v.string()),
});
export type FinetuningDetail = Readonly<v.InferOutput<typeof detail>>;

const answer = v.picklist(['label', 'model']);
/** Who is wrong where label and model disagree. */
export type Answer = v.InferOutput<typeof answer>;

const scoredImage = v.object({
  imageId: id,
  name: v.string(),
  widthPx: count,
  heightPx: count,
  /** Changes with the pixels; `v` of its pictures' addresses. */
  version: v.string(),
  /** Mean over the classes with an example in this image. */
  meanIou: score,
  meanDice: score,
  /** Of the labelled pixels. */
  wrongShare: share,
  /** Pixels of the asked cell of the confusion matrix; 0 without one. */
  cellPixels: count,
  answer: v.nullable(answer),
});
export type ScoredImage = Readonly<v.InferOutput<typeof scoredImage>>;

const classIndex = v.pipe(count, v.maxValue(254));
const imageQuery = v.strictObject({
  runId: id,
  part,
  metric,
  order: v.picklist(['worst', 'best']),
  /** `right`: the score is at least `rightFrom`. */
  show: v.picklist(['all', 'right', 'wrong']),
  rightFrom: share,
  /** Only images with pixels in this cell of the confusion matrix, most pixels first. */
  cell: v.optional(v.strictObject({ truth: classIndex, predicted: classIndex })),
  ...pageInput,
});
export type ImageQuery = Readonly<v.InferInput<typeof imageQuery>>;

/** Finished and unfinished models; what all runs have in common (curves, resuming) is in `runs`. */
export const finetuningsContract = {
  /** Newest first. */
  list: procedure.output(v.array(summary)),
  get: procedure.input(v.strictObject({ runId: id })).output(detail),
  images: procedure
    .input(imageQuery)
    .output(v.object({ total: count, right: count, wrong: count, images: v.array(scoredImage) })),
  /** Scores of one image by several models, e.g. to compare two. */
  imageScores: procedure
    .input(
      v.strictObject({ imageId: id, runIds: v.pipe(v.array(id), v.minLength(1), v.maxLength(4)) }),
    )
    .output(v.array(v.object({ runId: id, meanIou: score, meanDice: score, wrongShare: share }))),
  /** Stores who is wrong on an image; null takes the answer back. */
  decide: procedure.input(v.strictObject({ imageId: id, runId: id, answer: v.nullable(answer) })),
};
