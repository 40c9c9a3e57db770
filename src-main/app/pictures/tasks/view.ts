import * as v from 'valibot';
import { viewPair } from '../../../inference/view-picture.ts';
import { PretrainOptionsSchema } from '../../../pretrain/config.ts';
import { pictureTask } from '../task.ts';
import { imageSource } from '../task-inputs.ts';

const { path, facts } = imageSource;

/** Both views of a pair side by side, as student and teacher see them. */
export const view = pictureTask({
  schema: v.strictObject({
    path,
    facts,
    widthPx: v.number(),
    heightPx: v.number(),
    options: PretrainOptionsSchema,
    seed: v.number(),
    pair: v.number(),
  }),
  run: async (input, signal) => ({ type: 'image/png', bytes: await viewPair(input, signal) }),
});
