import { readFile } from 'node:fs/promises';
import { samplePath } from '../../../datasets/mask-survey-types.ts';
import { AppError } from '../../../lib/errors.ts';
import { pictureKind, whole } from '../kind.ts';

export const maskSampleKinds = {
  /**
   * A mask that was looked at, as grey levels: each is a place in the survey's list of values, so
   * that the window can color them as the user decides. The job made it; here it is only read.
   */
  'mask-sample': pictureKind({
    ids: ['job'],
    parameters: { index: whole(0, 63) },
    make: async ({ project }, [jobId = ''], { index }) => {
      const path = project.path(samplePath(jobId, index));
      const bytes = await readFile(path).catch((cause: unknown) => {
        throw new AppError('pictures.missing', 'This mask is not kept any more. Look again.', {
          cause,
        });
      });
      return { type: 'image/png', bytes };
    },
  }),
};
