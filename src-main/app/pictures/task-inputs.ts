import * as v from 'valibot';
import { imageFactsSchema } from '../../datasets/image-facts.ts';

/** What tasks about one image get: where it lies, what is known of it, where to keep what they make. */
export const imageSource = {
  path: v.string(),
  sha256: v.pipe(v.string(), v.hexadecimal()),
  facts: imageFactsSchema,
  cacheFolder: v.string(),
};

/** One square of a picture that is made smaller by 2^level. */
export const tilePlace = { level: v.number(), x: v.number(), y: v.number() };

/** What tasks about one image get that read the project themselves. */
export const projectImage = { projectDir: v.string(), imageId: v.string() };
