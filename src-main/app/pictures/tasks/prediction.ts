import * as v from 'valibot';
import { predictionPicture } from '../../../inference/prediction-picture.ts';
import { projectAt } from '../open-project.ts';
import { pictureTask } from '../task.ts';
import { projectImage, tilePlace } from '../task-inputs.ts';

const request = {
  ...projectImage,
  runId: v.string(),
  what: v.picklist(['prediction', 'difference']),
  isOutline: v.boolean(),
};

export const prediction = pictureTask({
  schema: v.strictObject({
    ...request,
    part: v.union([v.strictObject({ sizePx: v.number() }), v.strictObject(tilePlace)]),
  }),
  run: async ({ projectDir, part, ...wanted }) => ({
    type: 'image/png',
    bytes: await predictionPicture(projectAt(projectDir), wanted, part),
  }),
});
