import * as v from 'valibot';

/** An opaque id as the database and the places hand them out. */
export const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,80}$/));

/** A name or a search that a person typed. */
export const shortText = v.pipe(v.string(), v.maxLength(200));

export const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** UTC milliseconds. */
export const time = v.number();

/** One page of a long list. */
export const pageInput = { offset: count, limit: v.pipe(count, v.maxValue(500)) };

export const status = v.picklist([
  'queued',
  'running',
  'paused',
  'done',
  'failed',
  'cancelled',
  'interrupted',
]);
export type Status = v.InferOutput<typeof status>;

/** The low and the high end of an estimate. */
export const range = v.custom<readonly [low: number, high: number]>(
  (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite),
);

/** As lib/progress.ts' Progress. */
export const progress = v.object({
  phase: v.string(),
  done: v.number(),
  total: v.number(),
  unit: v.picklist(['file', 'image', 'step', 'tile', 'run']),
  remainingSeconds: v.exactOptional(range),
  imagesPerSecond: v.exactOptional(v.number()),
  memoryBytes: v.exactOptional(v.number()),
  values: v.exactOptional(v.record(v.string(), v.number())),
});
export type Progress = Readonly<v.InferOutput<typeof progress>>;

export const fault = v.object({ code: v.string(), message: v.string() });
export type Fault = Readonly<v.InferOutput<typeof fault>>;

/** A folder or file that the user chose; the window knows its id, main its path. */
export const place = v.object({
  placeId: id,
  name: v.string(),
  /** Where it is, for people, e.g. `~/Pictures/cells`. */
  shown: v.string(),
  kind: v.picklist(['folder', 'file']),
});
export type Place = Readonly<v.InferOutput<typeof place>>;
