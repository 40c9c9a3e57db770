import type { Project } from '../../../project/project.ts';
import { requireFinetuning } from '../../services/finetunings.ts';
import { requireImage } from '../../services/images.ts';
import { pictureKind, whole, yes } from '../kind.ts';
import { requirePlace } from './images.ts';

type What = 'prediction' | 'difference';

/**
 * What a run's model finds in an image (`prediction`), and where that differs from the label
 * (`difference`, orange): transparent pictures over the image, predicted once and then kept.
 */
export const predictionKinds = {
  prediction: wholeKind('prediction'),
  'prediction-tile': tileKind('prediction'),
  difference: wholeKind('difference'),
  'difference-tile': tileKind('difference'),
};

function wholeKind(what: What) {
  return pictureKind({
    ids: ['run', 'image'],
    parameters: { size: whole(16, 1024), outline: yes },
    make: ({ project, pictures }, ids, { size, outline }, signal) => {
      const request = { ...requestOf(project, ids, what), isOutline: outline ?? false };
      return pictures.make('prediction', { ...request, part: { sizePx: size } }, signal);
    },
  });
}

function tileKind(what: What) {
  const place = { level: whole(0, 16), x: whole(0, 65_535), y: whole(0, 65_535) };
  return pictureKind({
    ids: ['run', 'image'],
    parameters: { ...place, outline: yes },
    make: ({ project, pictures }, ids, { outline, ...part }, signal) => {
      const request = { ...requestOf(project, ids, what), isOutline: outline ?? false };
      requirePlace(requireImage(project, request.imageId), part);
      return pictures.make('prediction', { ...request, part }, signal);
    },
  });
}

function requestOf(project: Project, [runId = '', imageId = '']: readonly string[], what: What) {
  requireFinetuning(project, runId);
  requireImage(project, imageId);
  return { projectDir: project.dir, runId, imageId, what };
}
