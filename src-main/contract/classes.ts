import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { count, share } from './values.ts';

/**
 * What label pixels hold for a class. It stays with the class and is never given to another one, so
 * that old strokes can be undone after classes have come and gone. 255 is "not labelled".
 */
export const classValue = v.pipe(count, v.maxValue(254));

const className = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(60));
const color = v.pipe(v.string(), v.regex(/^#[0-9a-f]{6}$/i));
/** The digit on the keyboard that chooses the class. */
const digit = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9));

export const labelClass = v.object({
  value: classValue,
  /** Place in trained models and exported masks: 0, 1, 2... without gaps. */
  classIndex: count,
  name: v.string(),
  color: v.string(),
  key: v.nullable(digit),
  /** In all labels: those of images that are done, those being painted, and imported masks. */
  pixels: count,
  images: count,
  /** Of all labelled pixels. */
  share,
});
export type LabelClass = Readonly<v.InferOutput<typeof labelClass>>;

export const classesContract = {
  /** In the order of their index. */
  list: procedure.output(v.array(labelClass)),
  /** Without a color or key it gets the next distinguishable color and the first free digit. */
  add: procedure
    .input(v.strictObject({ name: className, color: v.optional(color) }))
    .output(labelClass),
  /** What is absent stays. A key that another class has is taken from it; null takes it away. */
  change: procedure
    .input(
      v.strictObject({
        value: classValue,
        name: v.exactOptional(className),
        color: v.exactOptional(color),
        key: v.exactOptional(v.nullable(digit)),
      }),
    )
    .output(labelClass),
  /** Refused with `classes.in-use` while any label has a pixel of it. */
  remove: procedure.input(v.strictObject({ value: classValue })),
};
