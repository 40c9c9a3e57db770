import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { count, id, range, share, shortText } from './values.ts';

/** Settings by name as the method's schema takes them; main checks them with it. */
const settings = v.pipe(
  v.record(v.pipe(v.string(), v.maxLength(40)), v.unknown()),
  v.check((value) => JSON.stringify(value).length < 20_000, 'These settings are too long.'),
);
export type Settings = Readonly<v.InferOutput<typeof settings>>;

/** What a training will take on this machine. */
const estimate = v.object({
  /** `measured` with these settings, or `rough` from the size of the networks. */
  basis: v.picklist(['measured', 'rough']),
  secondsPerStep: range,
  steps: range,
  epochs: range,
  seconds: range,
  memoryBytes: count,
  freeMemoryBytes: count,
  diskBytes: count,
  freeDiskBytes: count,
  /** Why it cannot start and what to do; empty when it fits. */
  refusal: v.string(),
});
export type Estimate = Readonly<v.InferOutput<typeof estimate>>;

/** A value of the plan and the rule behind it. */
const rule = v.object({ name: v.string(), value: v.string(), why: v.string() });
export type Rule = Readonly<v.InferOutput<typeof rule>>;

const plan = v.object({
  id,
  name: v.string(),
  /** One of the three that are always there; the others were made by the user. */
  isBuiltIn: v.boolean(),
  summary: v.string(),
  settings,
  rules: v.array(rule),
  estimate,
});
export type Plan = Readonly<v.InferOutput<typeof plan>>;

const overview = v.object({
  images: count,
  /** Where it will compute; empty `detail` while that has not been tried. */
  device: v.object({ name: v.string(), detail: v.string() }),
  isMeasured: v.boolean(),
  plans: v.array(plan),
});
export type Overview = Readonly<v.InferOutput<typeof overview>>;

const control = v.variant('type', [
  v.object({ type: v.literal('choice'), options: v.array(v.string()) }),
  v.object({
    type: v.literal('number'),
    min: v.number(),
    max: v.number(),
    step: v.number(),
    unit: v.string(),
    /** `auto` is a value as well. */
    hasAuto: v.boolean(),
    /** May be left empty. */
    isOptional: v.boolean(),
  }),
  /** Two shares: of view 1 and of view 2. */
  v.object({ type: v.literal('pair') }),
]);

const option = v.object({
  /** The setting, with a dot inside a group of settings: `augmentation.hue`. */
  name: v.string(),
  group: v.string(),
  label: v.string(),
  explanation: v.string(),
  control,
  default: v.unknown(),
});
export type Option = Readonly<v.InferOutput<typeof option>>;

const weightsStart = v.variant('type', [
  v.strictObject({ type: v.literal('random') }),
  v.strictObject({ type: v.literal('run'), runId: id }),
  v.strictObject({ type: v.literal('file'), placeId: id }),
]);

const view = v.object({
  /** The overlap of both views in the unit square of this one: x1, y1, x2, y2; null without one. */
  overlap: v.nullable(v.tuple([v.number(), v.number(), v.number(), v.number()])),
  isMirrored: v.boolean(),
  /** The crop in the unit square of the tile: x1, y1, x2, y2. */
  box: v.tuple([share, share, share, share]),
});

const wall = v.object({
  imageId: id,
  imageName: v.string(),
  cropPx: count,
  pairs: v.array(v.object({ views: v.tuple([view, view]) })),
});
export type Wall = Readonly<v.InferOutput<typeof wall>>;

export const pretrainContract = {
  overview: procedure.output(overview),
  /** Every setting a user may change, in groups. */
  options: procedure.output(v.array(option)),
  /** Resolves settings; `problem` is the sentence about what is wrong with them. */
  check: procedure.input(v.strictObject({ settings })).output(
    v.variant('type', [
      v.object({ type: v.literal('invalid'), problem: v.string() }),
      v.object({
        type: v.literal('valid'),
        /** Every setting with its value, `auto` resolved. */
        resolved: v.record(v.string(), v.unknown()),
        rules: v.array(rule),
        estimate,
      }),
    ]),
  ),
  /** A new plan; an existing name is refused. */
  savePlan: procedure
    .input(v.strictObject({ name: shortText, settings }))
    .output(v.object({ planId: id })),
  removePlan: procedure.input(v.strictObject({ planId: id })),
  /** Runs a few real steps of every plan, under 90 seconds. */
  measure: procedure
    .input(v.strictObject({ settings: v.optional(settings) }))
    .output(v.object({ jobId: id })),
  start: procedure
    .input(
      v.strictObject({
        settings,
        name: v.optional(shortText),
        start: v.optional(weightsStart),
        /** Images whose slots are drawn during the run; well spread ones without. */
        slotImageIds: v.optional(v.pipe(v.array(id), v.maxLength(8))),
      }),
    )
    .output(v.object({ runId: id, jobId: id })),
  /** Pairs of views of the image that a seed draws; pictures are `view/IMAGE?seed&pair&settings`. */
  views: procedure
    .input(
      v.strictObject({
        seed: v.pipe(count, v.maxValue(1e9)),
        pairs: v.pipe(count, v.minValue(1), v.maxValue(24)),
        settings,
      }),
    )
    .output(wall),
  /** Images to choose from for slot pictures, and those that are taken when nobody chooses. */
  slotChoices: procedure.output(
    v.object({
      chosen: v.array(id),
      images: v.array(v.object({ imageId: id, name: v.string() })),
    }),
  ),
};
