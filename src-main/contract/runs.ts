import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { count, fault, id, share, shortText, status, time } from './values.ts';

const runId = v.strictObject({ runId: id });

/** One loss level's health at the last logged step. */
const levelHealth = v.object({
  /** In words: `encoder`, `decoder p2`... */
  level: v.string(),
  verdict: v.picklist(['healthy', 'watch', 'collapsed']),
  /** What was seen and what to do; empty when healthy. */
  remedy: v.string(),
  effectiveRank: v.number(),
  featureDeviation: v.number(),
  prototypeEntropy: share,
  agreement: share,
});
export type LevelHealth = Readonly<v.InferOutput<typeof levelHealth>>;

/** A line of the list of runs. */
export const runSummary = v.object({
  id,
  kind: v.picklist(['pretrain', 'finetune']),
  name: v.string(),
  status,
  /** Completed steps, and those planned; null before the length is known. */
  step: count,
  totalSteps: v.nullable(count),
  /** Of the last logged step; null before the first. */
  loss: v.nullable(v.number()),
  health: v.nullable(v.picklist(['healthy', 'watch', 'collapsed'])),
  /** Spent in steps; null before the run ended or paused once. */
  trainedSeconds: v.nullable(v.number()),
  createdAt: time,
  startedAt: v.nullable(time),
  finishedAt: v.nullable(time),
  /** The name of the run whose weights it began with. */
  parent: v.nullable(v.string()),
  /** Bytes of its weights on disk; 0 when they were deleted. */
  weightBytes: count,
  /** Its last checkpoint holds everything needed to go on exactly. */
  isResumable: v.boolean(),
});
export type RunSummary = Readonly<v.InferOutput<typeof runSummary>>;

const runDetails = v.object({
  ...runSummary.entries,
  /** How often it saw every tile; null before the first step. */
  epoch: v.nullable(v.number()),
  /** Where it computes and why, as a sentence; empty before it began. */
  device: v.string(),
  /** Which checkpoint is served, or why there is none, as a sentence. */
  served: v.string(),
  /** Every setting by name, as text. */
  settings: v.array(v.object({ name: v.string(), value: v.string() })),
  levels: v.array(levelHealth),
  /** What it told its user, oldest first; at most the last 100. */
  notices: v.array(v.object({ at: time, message: v.string() })),
  /** Why its last job failed. */
  error: v.nullable(fault),
});
export type RunDetails = Readonly<v.InferOutput<typeof runDetails>>;

/** Figures of a run over its steps; all lists are as long as `steps`. */
const runMetrics = v.object({
  steps: v.array(count),
  series: v.array(v.object({ name: v.string(), values: v.array(v.nullable(v.number())) })),
  /** Logged steps behind each point; above 1 the points are means. */
  stepsPerPoint: v.number(),
});
export type RunMetrics = Readonly<v.InferOutput<typeof runMetrics>>;

const slotLevel = v.object({
  name: v.string(),
  /** Of the picture kind `slots`: all slots, and the one that matches across levels. */
  file: v.string(),
  matchedFile: v.string(),
  /** Slots that cover at least one pixel. */
  slots: count,
  gridWidth: count,
  gridHeight: count,
});

const slotMoment = v.object({
  step: count,
  images: v.array(
    v.object({
      imageId: id,
      name: v.string(),
      /** The picture itself at the same size. */
      file: v.string(),
      widthPx: count,
      heightPx: count,
      levels: v.array(slotLevel),
    }),
  ),
});
export type SlotMoment = Readonly<v.InferOutput<typeof slotMoment>>;

export const runsContract = {
  /** Newest first; all kinds without one. */
  list: procedure
    .input(v.strictObject({ kind: v.optional(v.picklist(['pretrain', 'finetune'])) }))
    .output(v.array(runSummary)),
  get: procedure.input(runId).output(runDetails),
  /** Downsampled to at most `points` by means; `names` are beginnings of figures, e.g. `loss.`. */
  metrics: procedure
    .input(
      v.strictObject({
        runId: id,
        points: v.pipe(count, v.minValue(10), v.maxValue(2000)),
        names: v.pipe(v.array(shortText), v.maxLength(40)),
      }),
    )
    .output(runMetrics),
  /** Slot pictures by step, oldest first. */
  slots: procedure.input(runId).output(v.array(slotMoment)),
  /** Continues exactly; nothing may change. */
  resume: procedure.input(runId).output(v.object({ jobId: id })),
  /** More steps, or as many as fit into some seconds, as a learning-rate cycle of their own. */
  extend: procedure
    .input(
      v.strictObject({
        runId: id,
        by: v.variant('type', [
          v.strictObject({
            type: v.literal('steps'),
            steps: v.pipe(count, v.minValue(1), v.maxValue(1e8)),
          }),
          v.strictObject({
            type: v.literal('seconds'),
            seconds: v.pipe(v.number(), v.minValue(1), v.maxValue(1e8)),
          }),
        ]),
      }),
    )
    .output(v.object({ jobId: id })),
  rename: procedure.input(v.strictObject({ runId: id, name: shortText })),
  /** Deletes checkpoints and models; settings, curves and pictures stay. */
  deleteWeights: procedure.input(runId).output(v.object({ freedBytes: count })),
};
