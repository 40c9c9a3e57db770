import { join } from 'node:path';
import * as v from 'valibot';
import { classMapFolder, fileKey } from '../../../inference/class-map.ts';
import { isBackground } from '../../../inference/classes.ts';
import { AppError } from '../../../lib/errors.ts';
import { findModel, modelCacheKey } from '../../use/catalog.ts';
import { findInput } from '../../use/inputs.ts';
import type { Workspace } from '../../workspace.ts';
import { pictureKind, whole, yes } from '../kind.ts';

const place = { level: whole(0, 16), x: whole(0, 65_535), y: whole(0, 65_535) };

/** Classes that are not shown, e.g. `0-3`; those that mean "nothing here" when it is absent. */
const hidden = v.optional(v.pipe(v.string(), v.regex(/^(none|\d{1,3}(-\d{1,3}){0,254})$/)));

/** Pictures that are not of the project, and what a model finds in any picture. */
export const previewKinds = {
  /**
   * One square of a prediction as far as it is ready, over the picture: transparent where nothing
   * is predicted or shown; `uncertainty` shows how far from certain each pixel is.
   */
  'preview-tile': pictureKind({
    ids: ['model', 'input'],
    parameters: { ...place, hidden, outline: yes, uncertainty: yes },
    make: (workspace, [modelId = '', inputId = ''], parameters, signal) => {
      const { project, places, pictures } = workspace;
      const { hidden: hiddenClasses, outline, uncertainty, ...at } = parameters;
      const { classes } = findModel(project, places, modelId);
      const { key } = findInput(project, places, inputId);
      const isShown = shownClasses(hiddenClasses);
      const colors = classes
        .filter((entry) => isShown?.(entry.index) ?? !isBackground(entry))
        .map(({ index, color }) => ({ classIndex: index, color }));
      const folder = classMapFolder(project, modelCacheKey(project, places, modelId), key);
      const look = { isOutline: outline ?? false, isUncertainty: uncertainty ?? false };
      return pictures.make('previewTile', { folder, ...at, colors, ...look }, signal);
    },
  }),

  /** As `tile`, of a chosen file. */
  'file-tile': pictureKind({
    ids: ['place'],
    parameters: place,
    make: (workspace, [placeId = ''], parameters, signal) => {
      const file = chosenFile(workspace, placeId, 'tiles');
      return workspace.pictures.make('fileTile', { ...file, ...parameters }, signal);
    },
  }),

  /** As `thumb`, of a chosen file. */
  'file-thumb': pictureKind({
    ids: ['place'],
    parameters: { size: whole(16, 1024) },
    make: (workspace, [placeId = ''], { size }, signal) => {
      const file = chosenFile(workspace, placeId, 'thumbnails');
      return workspace.pictures.make('fileThumb', { ...file, sizePx: size }, signal);
    },
  }),
};

function shownClasses(text: string | undefined): ((index: number) => boolean) | undefined {
  if (text === undefined) return undefined;
  const indices = new Set(text === 'none' ? [] : text.split('-').map(Number));
  return (index) => !indices.has(index);
}

function chosenFile({ places, project }: Workspace, placeId: string, cache: string) {
  const path = places.pathOf(placeId);
  const key = fileKey(path);
  if (key === undefined) {
    throw new AppError(
      'images.missing',
      'This file is not there any more. Choose the images again.',
    );
  }
  return { path, key, cacheFolder: join(project.dir, 'cache', cache) };
}
