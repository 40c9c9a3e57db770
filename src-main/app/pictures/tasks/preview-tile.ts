import * as v from 'valibot';
import { previewTile as makeTile } from '../../../inference/preview-picture.ts';
import { pictureTask } from '../task.ts';
import { tilePlace } from '../task-inputs.ts';

export const previewTile = pictureTask({
  schema: v.strictObject({
    folder: v.string(),
    ...tilePlace,
    colors: v.array(v.object({ classIndex: v.number(), color: v.string() })),
    isOutline: v.boolean(),
    isUncertainty: v.boolean(),
  }),
  run: async ({ folder, ...request }) => ({
    type: 'image/png',
    bytes: await makeTile(folder, request),
  }),
});
