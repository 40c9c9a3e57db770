import * as v from 'valibot';

const range = v.object({ min: v.number(), median: v.number(), max: v.number() });
const tally = v.record(v.string(), v.number());

/** What the images and labels of a project look like. */
export const fingerprintSchema = v.object({
  images: v.number(),
  labelled: v.number(),
  duplicates: v.number(),
  splits: v.object({
    train: v.number(),
    val: v.number(),
    test: v.number(),
    unlabelled: v.number(),
    unused: v.number(),
  }),
  groups: v.number(),
  formats: tally,
  channels: tally,
  bitDepths: tally,
  widthPx: range,
  heightPx: range,
  /** 8-bit levels as training sees them, over all images. */
  intensity: v.object({ low: v.number(), mean: v.number(), high: v.number() }),
  classes: v.array(
    v.object({
      index: v.number(),
      name: v.string(),
      pixels: v.number(),
      /** Of all labelled pixels that are not ignored. */
      share: v.number(),
      images: v.number(),
    }),
  ),
  /** Sentences: rare classes, classes without an example, unequal channels. */
  warnings: v.array(v.string()),
});

export type Fingerprint = Readonly<v.InferOutput<typeof fingerprintSchema>>;
export type Range = Fingerprint['widthPx'];
