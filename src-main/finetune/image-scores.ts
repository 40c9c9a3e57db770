import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { classCounts, type ImageCounts } from './metrics.ts';

const countsSchema = v.array(v.number());

/** Version 2: the whole confusion matrix of an image; the counts of its classes follow from it. */
const imageSchema = v.pipe(
  v.object({ imageId: v.string(), confusion: countsSchema }),
  v.transform(({ imageId, confusion }): ImageCounts => {
    const classCount = Math.sqrt(confusion.length);
    const counts = Float64Array.from(confusion);
    return { imageId, confusion, ...classCounts({ classCount, counts }) };
  }),
);

/** Version 1 knew the counts of each class, and not which class was taken for which. */
const plainImageSchema = v.object({
  imageId: v.string(),
  truePositive: countsSchema,
  falsePositive: countsSchema,
  falseNegative: countsSchema,
});

const partsOf = <T extends v.GenericSchema>(image: T) => ({
  val: v.array(image),
  test: v.array(image),
});

/** The file of a run's scores of single images, of this version or an older one. */
export const imageScoresFileSchema = v.union([
  v.object({ version: v.literal(2), ...partsOf(imageSchema) }),
  v.object(partsOf(plainImageSchema)),
]);

/** Scores of single images by part of the data. */
export interface ImageScores {
  readonly val: readonly ImageCounts[];
  readonly test: readonly ImageCounts[];
}

/** @throws AppError `runs.no-image-scores` when the file is gone or damaged */
export function readImageScores(path: string): ImageScores {
  try {
    return v.parse(imageScoresFileSchema, JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new AppError(
      'runs.no-image-scores',
      'The scores of the single images cannot be read; the file in the project folder is gone or damaged. Train the model again to get them back.',
      { cause },
    );
  }
}

/** Stores what `readImageScores` reads; every image has its confusion matrix. */
export function writeImageScores(path: string, { val, test }: ImageScores): void {
  const rows = (images: readonly ImageCounts[]) =>
    images.map(({ imageId, confusion }) => ({ imageId, confusion }));
  const text = JSON.stringify({ version: 2, val: rows(val), test: rows(test) });
  writeFileAtomic(path, [new TextEncoder().encode(text)]);
}
