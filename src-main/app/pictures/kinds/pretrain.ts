import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { imageFactsSchema } from '../../../datasets/image-facts.ts';
import { slotsFolder } from '../../../inference/slot-record.ts';
import { AppError } from '../../../lib/errors.ts';
import { PretrainOptionsSchema } from '../../../pretrain/config.ts';
import { requireImage } from '../../services/images.ts';
import { requireRun } from '../../services/runs.ts';
import { pictureKind, whole } from '../kind.ts';

/** Settings in an address, as JSON. */
const settings = v.pipe(v.string(), v.maxLength(8000), v.parseJson(), PretrainOptionsSchema);

export const pretrainKinds = {
  /** View 1 and view 2 of one pair side by side, as student and teacher see them. */
  view: pictureKind({
    ids: ['image'],
    parameters: { seed: whole(0, 1e9), pair: whole(0, 100), settings },
    make: ({ project, pictures }, [imageId = ''], { settings: options, ...drawn }, signal) => {
      const image = requireImage(project, imageId);
      const { widthPx, heightPx } = image;
      const facts = v.parse(imageFactsSchema, image.facts);
      const path = project.images.pathOf(image);
      return pictures.make('view', { path, facts, widthPx, heightPx, options, ...drawn }, signal);
    },
  }),

  /** A slot picture that a run has drawn at a step. */
  slots: pictureKind({
    ids: ['run', 'step', 'file'],
    parameters: {},
    make: async ({ project }, [runId = '', step = '', file = '']) => {
      const { id } = requireRun(project, runId);
      const isName = /^\d+$/.test(step) && /^[a-z0-9-]+\.jpg$/.test(file);
      try {
        if (!isName) throw new Error(`No picture ${file}`);
        const bytes = await readFile(join(slotsFolder(project, id), step, file));
        return { type: 'image/jpeg', bytes };
      } catch (cause) {
        throw new AppError('pictures.missing', 'This picture is no longer there.', { cause });
      }
    },
  }),
};
