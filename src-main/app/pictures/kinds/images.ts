import { join } from 'node:path';
import * as v from 'valibot';
import { imageFactsSchema, uprightSize, type ImageFacts } from '../../../datasets/image-facts.ts';
import { AppError } from '../../../lib/errors.ts';
import type { ImageRow } from '../../../project/images.ts';
import type { Project } from '../../../project/project.ts';
import { requireImage } from '../../services/images.ts';
import { pictureKind, whole, yes } from '../kind.ts';

const size = whole(16, 1024);
const place = { level: whole(0, 16), x: whole(0, 65_535), y: whole(0, 65_535) };

export const imageKinds = {
  /** The whole image, at most `size` px wide or high (or up to twice that, as it is kept). */
  thumb: pictureKind({
    ids: ['image'],
    parameters: { size },
    make: ({ project, pictures }, [imageId = ''], parameters, signal) => {
      const image = requireImage(project, imageId);
      const cacheFolder = join(project.dir, 'cache', 'thumbnails');
      return pictures.make(
        'thumb',
        { ...sourceOf(project, image), cacheFolder, sizePx: parameters.size },
        signal,
      );
    },
  }),

  /**
   * One square of 256 px (smaller at the right and lower edge) of the image made smaller by
   * 2^level; `low` and `high` are the 8-bit levels that are shown as black and white.
   */
  tile: pictureKind({
    ids: ['image'],
    parameters: {
      ...place,
      low: v.optional(whole(0, 254), '0'),
      high: v.optional(whole(1, 255), '255'),
    },
    make: ({ project, pictures }, [imageId = ''], parameters, signal) => {
      const image = requireImage(project, imageId);
      requirePlace(image, parameters);
      const cacheFolder = join(project.dir, 'cache', 'tiles');
      return pictures.make(
        'tile',
        { ...sourceOf(project, image), cacheFolder, ...parameters },
        signal,
      );
    },
  }),

  /** As `tile`, of the mask in the colors of its classes, or only their outlines. */
  'mask-tile': pictureKind({
    ids: ['image'],
    parameters: { ...place, outline: yes },
    make: ({ project, pictures }, [imageId = ''], { outline, ...at }, signal) => {
      requirePlace(requireImage(project, imageId), at);
      const input = { projectDir: project.dir, imageId, ...at, isOutline: outline ?? false };
      return pictures.make('maskTile', input, signal);
    },
  }),

  /** As `thumb`, of the mask in the colors of its classes. */
  'mask-thumb': pictureKind({
    ids: ['image'],
    parameters: { size },
    make: ({ project, pictures }, [imageId = ''], parameters, signal) => {
      requireImage(project, imageId);
      const input = { projectDir: project.dir, imageId, sizePx: parameters.size };
      return pictures.make('maskThumb', input, signal);
    },
  }),
};

interface ImageSource {
  readonly path: string;
  readonly sha256: string;
  readonly facts: ImageFacts;
}

function sourceOf(project: Project, image: ImageRow): ImageSource {
  const facts = v.parse(imageFactsSchema, image.facts);
  return { path: project.images.pathOf(image), sha256: image.sha256, facts };
}

/** @throws AppError `pictures.missing` for a square outside of the image */
export function requirePlace(
  { facts }: ImageRow,
  { level, x, y }: { readonly level: number; readonly x: number; readonly y: number },
): void {
  const { widthPx, heightPx } = uprightSize(v.parse(imageFactsSchema, facts));
  const squarePx = 256 * 2 ** level;
  if (x * squarePx < widthPx && y * squarePx < heightPx) return;
  throw new AppError('pictures.missing', 'This part lies outside of the image.');
}
