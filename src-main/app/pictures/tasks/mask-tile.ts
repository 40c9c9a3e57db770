import * as v from 'valibot';
import * as maskPicture from '../../../datasets/mask-picture.ts';
import { projectAt } from '../open-project.ts';
import { pictureTask } from '../task.ts';
import { projectImage, tilePlace } from '../task-inputs.ts';

export const maskTile = pictureTask({
  schema: v.strictObject({ ...projectImage, ...tilePlace, isOutline: v.boolean() }),
  run: async ({ projectDir, imageId, isOutline, ...place }) => ({
    type: 'image/png',
    bytes: await maskPicture.maskTile(projectAt(projectDir), imageId, place, isOutline),
  }),
});
