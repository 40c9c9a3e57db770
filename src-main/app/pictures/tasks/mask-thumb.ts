import * as v from 'valibot';
import { maskThumbnail } from '../../../datasets/mask-picture.ts';
import { projectAt } from '../open-project.ts';
import { pictureTask } from '../task.ts';
import { projectImage } from '../task-inputs.ts';

export const maskThumb = pictureTask({
  schema: v.strictObject({ ...projectImage, sizePx: v.number() }),
  run: async ({ projectDir, imageId, sizePx }) => ({
    type: 'image/png',
    bytes: await maskThumbnail(projectAt(projectDir), imageId, sizePx),
  }),
});
