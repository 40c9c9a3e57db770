import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { count, id, place, range, share, shortText, status, time } from './values.ts';

export const start = v.picklist(['random', 'encoder', 'encoder+decoder', 'file']);
export type Start = v.InferOutput<typeof start>;

export const metric = v.picklist(['meanIou', 'meanDice']);
export type Metric = v.InferOutput<typeof metric>;

/** Of the labelled training images, or a number of them. */
const shareInput = v.variant('type', [
  v.strictObject({ type: v.literal('share'), share: v.pipe(share, v.gtValue(0)) }),
  v.strictObject({
    type: v.literal('images'),
    images: v.pipe(count, v.minValue(1), v.maxValue(1e6)),
  }),
]);
export type ShareInput = Readonly<v.InferOutput<typeof shareInput>>;

/** How long one training takes: the method's number of steps, or a time on this machine. */
const length = v.variant('type', [
  v.strictObject({ type: v.literal('auto') }),
  v.strictObject({
    type: v.literal('time'),
    seconds: v.pipe(v.number(), v.minValue(10), v.maxValue(7 * 86_400)),
  }),
  v.strictObject({
    type: v.literal('steps'),
    steps: v.pipe(count, v.minValue(1), v.maxValue(1e7)),
  }),
]);
export type Length = Readonly<v.InferOutput<typeof length>>;

/** Settings for experts; what is left out has the method's default. */
const advanced = v.strictObject({
  encoder: v.optional(v.picklist(['resnet18', 'resnet34', 'resnet50'])),
  decoder: v.optional(v.picklist(['none', 'fcn', 'fpn'])),
  batch: v.optional(v.pipe(count, v.minValue(1), v.maxValue(256))),
  cropPx: v.optional(v.pipe(count, v.minValue(32), v.maxValue(2048), v.multipleOf(32))),
  scale: v.optional(v.pipe(v.number(), v.minValue(0.05), v.maxValue(1))),
  quarterTurns: v.optional(v.boolean()),
});
export type AdvancedSettings = Readonly<v.InferOutput<typeof advanced>>;

/** What a comparison and a single training are asked for alike. */
const shared = {
  pretrainRunId: v.optional(id),
  weightsPlaceId: v.optional(id),
  length,
  advanced: v.optional(advanced, {}),
};

const studyInput = v.strictObject({
  ...shared,
  shares: v.pipe(v.array(shareInput), v.minLength(1), v.maxLength(8)),
  starts: v.pipe(v.array(start), v.minLength(1), v.maxLength(4)),
  seeds: v.picklist([1, 3, 5]),
  metric,
});
export type StudyInput = Readonly<v.InferInput<typeof studyInput>>;

const trainingInput = v.strictObject({ ...shared, share: shareInput, start });
export type TrainingInput = Readonly<v.InferInput<typeof trainingInput>>;

/** What can be chosen, and how many labels there are. */
const options = v.object({
  pretrainings: v.array(
    v.object({
      runId: id,
      name: v.string(),
      status,
      encoder: v.string(),
      decoder: v.picklist(['none', 'fcn', 'fpn']),
      step: count,
      createdAt: time,
    }),
  ),
  labelled: v.object({ train: count, val: count, test: count }),
  testGroups: count,
  classes: v.array(v.object({ name: v.string(), color: v.string(), trainImages: count })),
  /** Images that 5, 10, 25 and 100 % are now. */
  shares: v.array(v.object({ share, images: count })),
  /** Fewest images with every class that has a label; a smaller share is rounded up to it. */
  fewestImages: count,
});
export type StudyOptions = Readonly<v.InferOutput<typeof options>>;

/** The card before anything begins. */
const plan = v.object({
  trainings: count,
  shares: v.array(v.object({ share, images: count, isRaised: v.boolean() })),
  heldOut: v.object({ part: v.picklist(['test', 'val']), images: count, groups: count }),
  validationImages: count,
  /** All trainings, one after the other. */
  seconds: range,
  secondsEach: range,
  /** Where the time comes from: earlier trainings here, the time that was asked for, or a guess. */
  basis: v.picklist(['measured', 'asked', 'rough']),
  memoryBytes: v.number(),
  freeBytes: v.number(),
  diskBytes: v.number(),
  /** What the result will not be able to say, as sentences. */
  limits: v.array(v.string()),
  /** Why it cannot begin; empty when it can. */
  problems: v.array(v.string()),
});
export type StudyPlan = Readonly<v.InferOutput<typeof plan>>;

const cell = v.object({
  share,
  start,
  seed: count,
  runId: v.nullable(id),
  status,
  /** Of the study's metric, on the held-out images; null before it is done or without example. */
  score: v.nullable(v.number()),
  step: count,
  totalSteps: v.nullable(count),
});
export type StudyCell = Readonly<v.InferOutput<typeof cell>>;

const estimate = v.object({
  mean: v.number(),
  interval: v.nullable(range),
  perSeed: v.array(v.number()),
});
export type Estimate = Readonly<v.InferOutput<typeof estimate>>;

export const verdict = v.picklist(['helped', 'no clear difference', 'hurt']);
export type Verdict = v.InferOutput<typeof verdict>;

const shareResult = v.object({
  share,
  trainImages: count,
  starts: v.array(
    v.object({
      start,
      seeds: v.array(count),
      meanIou: estimate,
      meanDice: estimate,
    }),
  ),
  comparisons: v.array(v.object({ start, difference: estimate, verdict })),
  sentence: v.string(),
});
export type ShareResult = Readonly<v.InferOutput<typeof shareResult>>;

const result = v.object({
  metric,
  measuredOn: v.picklist(['test', 'val']),
  heldOutImages: count,
  heldOutGroups: count,
  cellsDone: count,
  cells: count,
  shares: v.array(shareResult),
});
export type StudyResult = Readonly<v.InferOutput<typeof result>>;

const summary = v.object({
  id,
  name: v.string(),
  createdAt: time,
  /** Of its newest job, or of its cells where it has none. */
  status,
  cellsDone: count,
  cells: count,
  shares: v.array(share),
  starts: v.array(start),
  seeds: count,
  metric,
  pretraining: v.nullable(v.object({ runId: id, name: v.string() })),
  /** The sentence about the smallest share that is done. */
  verdict: v.nullable(v.string()),
});
export type StudySummary = Readonly<v.InferOutput<typeof summary>>;

const study = v.object({
  ...summary.entries,
  grid: v.array(cell),
  result: v.nullable(result),
  /** Of all trainings that are left; null before the first is done or when nothing runs. */
  remainingSeconds: v.nullable(range),
  trainedSeconds: v.number(),
  /** The command that does the same again. */
  command: v.string(),
});
export type Study = Readonly<v.InferOutput<typeof study>>;

export const studiesContract = {
  options: procedure.output(options),
  plan: procedure.input(studyInput).output(plan),
  /** Newest first. */
  list: procedure.output(v.array(summary)),
  get: procedure.input(v.strictObject({ studyId: id })).output(study),
  /** Stores the plan and begins. */
  start: procedure
    .input(v.strictObject({ ...studyInput.entries, name: v.optional(shortText) }))
    .output(v.object({ studyId: id, jobId: id })),
  /** Goes on with the trainings that are not done. */
  resume: procedure.input(v.strictObject({ studyId: id })).output(v.object({ jobId: id })),
  /** The one-page report, written into a chosen folder. */
  report: procedure
    .input(v.strictObject({ studyId: id, inPlaceId: id }))
    .output(v.object({ files: v.array(place) })),
  planTraining: procedure.input(trainingInput).output(plan),
  startTraining: procedure
    .input(v.strictObject({ ...trainingInput.entries, name: v.optional(shortText) }))
    .output(v.object({ runId: id, jobId: id })),
};
