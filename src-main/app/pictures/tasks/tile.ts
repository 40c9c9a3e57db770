import * as v from 'valibot';
import { pictureTile } from '../../../datasets/picture-tiles.ts';
import { pictureTask } from '../task.ts';
import { imageSource, tilePlace } from '../task-inputs.ts';

export const tile = pictureTask({
  schema: v.strictObject({ ...imageSource, ...tilePlace, low: v.number(), high: v.number() }),
  run: async ({ cacheFolder, path, sha256, facts, ...request }, signal) => ({
    type: 'image/png',
    bytes: await pictureTile({ path, sha256, facts }, cacheFolder, request, signal),
  }),
});
