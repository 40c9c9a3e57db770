import { type ImageCounts, segmentationScores } from './metrics.ts';
import type { StudyMetric } from './intervals.ts';

/** One image as the list of a model's images shows it. */
export interface ImageScore {
  readonly imageId: string;
  readonly meanIou: number | null;
  readonly meanDice: number | null;
  /** Of the labelled pixels; 0 when there is none. */
  readonly wrongShare: number;
  /** Pixels of the asked cell of the confusion matrix. */
  readonly cellPixels: number;
}

/** A cell of the confusion matrix: pixels of class `truth` that were taken for `predicted`. */
export interface ConfusionCell {
  readonly truth: number;
  readonly predicted: number;
}

export interface ImageListQuery {
  readonly metric: StudyMetric;
  readonly order: 'worst' | 'best';
  readonly show: 'all' | 'right' | 'wrong';
  /** The score from which an image counts as right. */
  readonly rightFrom: number;
  /** Only images with pixels in this cell, most pixels first. */
  readonly cell?: ConfusionCell;
}

export interface ImageList {
  readonly images: readonly ImageScore[];
  /** Of all that the cell leaves, before `show` chooses. */
  readonly right: number;
  readonly wrong: number;
}

/** The score of one image from its counts. */
export function imageScore(image: ImageCounts, cell?: ConfusionCell): ImageScore {
  const { meanIou, meanDice, pixelAccuracy } = segmentationScores(image);
  return {
    imageId: image.imageId,
    meanIou,
    meanDice,
    wrongShare: pixelAccuracy === null ? 0 : 1 - pixelAccuracy,
    cellPixels: cell === undefined ? 0 : cellPixels(image, cell),
  };
}

/**
 * A model's images in order: by score, or, inside a cell of the confusion matrix, by the pixels in
 * it. An image without a score (nothing is labelled) counts as wrong and comes last.
 */
export function listImages(images: readonly ImageCounts[], query: ImageListQuery): ImageList {
  const { metric, order, show, rightFrom, cell } = query;
  const scored = images
    .map((image) => imageScore(image, cell))
    .filter(({ cellPixels }) => cell === undefined || cellPixels > 0);
  const isRight = (image: ImageScore): boolean => (image[metric] ?? -1) >= rightFrom;
  const right = scored.filter(isRight).length;
  const shown =
    show === 'all' ? scored : scored.filter((image) => isRight(image) === (show === 'right'));
  const direction = order === 'worst' ? 1 : -1;
  const last = order === 'worst' ? 2 : -1;
  const value = (image: ImageScore): number => image[metric] ?? last;
  const inOrder = [...shown].sort((a, b) =>
    cell === undefined ? direction * (value(a) - value(b)) : b.cellPixels - a.cellPixels,
  );
  return { images: inOrder, right, wrong: scored.length - right };
}

/** Results of older versions know the diagonal only; their other cells are empty. */
function cellPixels(image: ImageCounts, { truth, predicted }: ConfusionCell): number {
  const classCount = image.truePositive.length;
  return image.confusion?.[truth * classCount + predicted] ?? 0;
}
