import * as v from 'valibot';
import { thumbnail } from '../../../datasets/picture-thumbnail.ts';
import { pictureTask } from '../task.ts';
import { imageSource } from '../task-inputs.ts';

export const thumb = pictureTask({
  schema: v.strictObject({ ...imageSource, sizePx: v.number() }),
  run: async ({ cacheFolder, sizePx, ...source }) => ({
    type: 'image/jpeg',
    bytes: await thumbnail(source, cacheFolder, sizePx),
  }),
});
