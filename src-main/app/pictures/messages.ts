import * as v from 'valibot';

/** Whatever memory it lies in. */
const bytes: v.GenericSchema<unknown, Uint8Array> = v.instance(Uint8Array);

const toPicturesSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('make'),
    number: v.number(),
    task: v.string(),
    input: v.unknown(),
  }),
  v.strictObject({ type: v.literal('cancel'), number: v.number() }),
]);

const fromPicturesSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('made'),
    number: v.number(),
    picture: v.strictObject({
      type: v.picklist(['image/png', 'image/jpeg', 'image/webp']),
      bytes,
    }),
  }),
  v.strictObject({
    type: v.literal('failed'),
    number: v.number(),
    error: v.strictObject({ code: v.string(), message: v.string() }),
  }),
]);

/** What main asks of the picture process. */
export type ToPictures = Readonly<v.InferOutput<typeof toPicturesSchema>>;

/** What the picture process answers. */
export type FromPictures = Readonly<v.InferOutput<typeof fromPicturesSchema>>;

/** Bytes of a picture file; never SVG, which may hold scripts. */
export type Picture = Extract<FromPictures, { type: 'made' }>['picture'];
export type PictureType = Picture['type'];

/** Checks a message on arrival in the picture process; a wrong one is a bug of the sender. */
export function parseToPictures(message: unknown): ToPictures {
  return v.parse(toPicturesSchema, message);
}

/** Checks a message on arrival in main. */
export function parseFromPictures(message: unknown): FromPictures {
  return v.parse(fromPicturesSchema, message);
}
