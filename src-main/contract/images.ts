import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { count, id, pageInput, place, share, shortText, time } from './values.ts';

const split = v.picklist(['train', 'val', 'test', 'unlabelled']);
const imageStatus = v.picklist(['usable', 'skipped', 'duplicate']);

/** Which images a list holds. */
const imageFilter = {
  /** Part of the path, whatever the case. */
  search: v.optional(shortText),
  /** `none`: held back or not assigned. */
  split: v.optional(v.picklist([...split.options, 'none'])),
  label: v.optional(v.picklist(['labelled', 'unlabelled'])),
  /** Only those about which the import had something to say. */
  hasProblem: v.optional(v.literal(true)),
  status: v.optional(imageStatus),
};
const filterSchema = v.strictObject(imageFilter);
export type ImageListFilter = Readonly<v.InferOutput<typeof filterSchema>>;

const imageSort = v.picklist(['path', 'largest', 'newest']);
export type ImageSort = v.InferOutput<typeof imageSort>;

/** One cell of the grid. */
const imageItem = v.object({
  id,
  /** The path inside its folder. */
  name: v.string(),
  widthPx: count,
  heightPx: count,
  split: v.nullable(split),
  status: imageStatus,
  isLabelled: v.boolean(),
  /** Changes with the pixels; `v` of its pictures' addresses, which the window may then keep. */
  version: v.string(),
});
export type ImageItem = Readonly<v.InferOutput<typeof imageItem>>;

const level = v.pipe(v.number(), v.minValue(0), v.maxValue(255));

/** Everything that is known of one image. */
const imageDetails = v.object({
  ...imageItem.entries,
  /** The file, to be shown in the file manager. */
  place,
  bytes: count,
  modifiedAt: time,
  format: v.string(),
  channels: count,
  bitDepth: count,
  pages: count,
  /** Source values that became 0 and 255, one a channel; none for 8-bit pictures. */
  ranges: v.array(v.object({ low: v.number(), high: v.number() })),
  /** 8-bit levels as training sees them. */
  intensity: v.object({ low: level, mean: level, high: level }),
  /** Sentences about what was not taken as it is. */
  notices: v.array(v.object({ code: v.string(), message: v.string() })),
  group: v.nullable(v.string()),
  duplicateOf: v.nullable(v.object({ id, name: v.string() })),
  /** Of the mask; empty without one. */
  classes: v.array(
    v.object({ index: count, name: v.string(), color: v.string(), pixels: count, share }),
  ),
  ignoredShare: share,
});
export type ImageDetails = Readonly<v.InferOutput<typeof imageDetails>>;

const order = v.optional(imageSort, 'path');

export const imagesContract = {
  list: procedure
    .input(v.strictObject({ ...imageFilter, order, ...pageInput }))
    .output(v.array(imageItem)),
  count: procedure.input(filterSchema).output(v.object({ count })),
  /** Where an image stands in a list; null when it is not in it. */
  locate: procedure
    .input(v.strictObject({ ...imageFilter, order, imageId: id }))
    .output(v.object({ index: v.nullable(count) })),
  get: procedure.input(v.strictObject({ imageId: id })).output(imageDetails),
};
