import * as v from 'valibot';
import { imageFactsSchema } from '../datasets/image-facts.ts';
import { planTiles, scaledSize } from '../datasets/tile-plan.ts';
import { AppError, defined } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import type { ImageRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import type { Coordinates } from './boxes.ts';
import type { PretrainOptions } from './config.ts';
import { createViewInputs, sampleViews, type DrawnView, type ViewInputs } from './views.ts';

/** One view of a pair in numbers, for drawing. */
export interface ViewFacts {
  /** The overlap of both views in the unit square of this one; null without one. */
  readonly overlap: [number, number, number, number] | null;
  readonly isMirrored: boolean;
  /** The crop in the unit square of the tile: x1, y1, x2, y2. */
  readonly box: [number, number, number, number];
}

type ViewOptions = Pick<PretrainOptions, 'augmentation' | 'cropPx' | 'tilePx' | 'scale'>;

/**
 * The pairs of views that a seed draws from one image, by the training's own drawing; the pixels are
 * made from the same numbers by `drawnPair`.
 */
export function drawPairs(
  project: Project,
  options: ViewOptions,
  wanted: { readonly seed: number; readonly pairs: number },
) {
  const image = imageOf(project, wanted.seed);
  const { valid } = tileOf(image, options, wanted.seed);
  const pairs = Array.from({ length: wanted.pairs }, (_, pair) => {
    const { views } = drawnPair(options, valid, { seed: wanted.seed, pair });
    const [first, second] = views.map((view) => viewFacts(view, options.tilePx));
    const both: [ViewFacts, ViewFacts] = [defined(first, 'view 1'), defined(second, 'view 2')];
    return { views: both };
  });
  return { imageId: image.id, imageName: image.relPath, cropPx: options.cropPx, pairs };
}

/** The square that views are cut from: the one of the image's tiles that the seed takes. */
export function tileOf(
  image: Pick<ImageRow, 'widthPx' | 'heightPx'>,
  options: Pick<ViewOptions, 'tilePx' | 'scale'>,
  seed: number,
) {
  const size = scaledSize(image, options.scale);
  const places = planTiles(size, options.tilePx);
  const random = new Random(seed).fork('tile');
  const place = defined(places[random.integer(places.length)], 'tile');
  return { size, place, valid: { widthPx: place.widthPx, heightPx: place.heightPx } };
}

/** Draws one pair; each has random numbers of its own, so that it can be made alone. */
export function drawnPair(
  options: ViewOptions,
  valid: { readonly widthPx: number; readonly heightPx: number },
  { seed, pair }: { readonly seed: number; readonly pair: number },
): { readonly views: readonly DrawnView[]; readonly inputs: ViewInputs } {
  const size = { batch: 1, tileSizePx: options.tilePx, cropSizePx: options.cropPx };
  const inputs = createViewInputs(size);
  const random = new Random(seed).fork(`pair ${pair}`);
  const [views] = sampleViews(random, size, options.augmentation, [valid], inputs);
  return { views: defined(views, 'views'), inputs };
}

/** @throws AppError `pretrain.no-images` */
function imageOf(project: Project, seed: number): ImageRow {
  const { pretrainImages, images } = project;
  const at = new Random(seed).fork('image').integer(Math.max(1, pretrainImages.count()));
  const image = images.get(pretrainImages.page(at, 1)[0]?.id ?? '');
  if (image !== undefined && v.is(imageFactsSchema, image.facts)) return image;
  throw new AppError('pretrain.no-images', 'There is no image to show. Add images first.');
}

function viewFacts({ box, overlap, isMirrored }: DrawnView, tilePx: number): ViewFacts {
  const [x1, y1, x2, y2]: Coordinates = overlap;
  return {
    overlap: x2 > x1 && y2 > y1 ? [x1, y1, x2, y2] : null,
    isMirrored,
    box: [
      box.left / tilePx,
      box.top / tilePx,
      (box.left + box.width) / tilePx,
      (box.top + box.height) / tilePx,
    ],
  };
}
