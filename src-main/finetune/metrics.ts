import { AppError } from '../lib/errors.ts';

/** Label of pixels that count neither in training nor in a score. */
export const ignoreLabel = 255;

/** Pixel counts per class; plain arrays, so that they are stored as JSON. Index = class. */
export interface ClassCounts {
  readonly truePositive: readonly number[];
  readonly falsePositive: readonly number[];
  readonly falseNegative: readonly number[];
}

/** Scores of one class; `null` = no example: the class is in neither prediction nor truth. */
export interface ClassScore {
  readonly iou: number | null;
  readonly dice: number | null;
  readonly truthPixels: number;
  readonly predictedPixels: number;
}

/** Scores over a set of whole images, from counts added up over the set (spec 8.4). */
export interface SegmentationScores {
  readonly classes: readonly ClassScore[];
  /** Plain means over the classes that have an example; `null` when none has. */
  readonly meanIou: number | null;
  readonly meanDice: number | null;
  readonly pixelAccuracy: number | null;
}

/** Counts of one image, kept so that single images can be ranked and sets resampled. */
export interface ImageCounts extends ClassCounts {
  readonly imageId: string;
  /** [truth, predicted] pixels, row-major; absent in results of versions that did not keep it. */
  readonly confusion?: readonly number[];
}

/** A confusion matrix: entry [truth, predicted] = number of pixels, row-major. */
export interface Confusion {
  readonly classCount: number;
  readonly counts: Float64Array;
}

/** An all-zero confusion matrix. */
export function createConfusion(classCount: number): Confusion {
  return { classCount, counts: new Float64Array(classCount * classCount) };
}

/**
 * Adds the pixels of one image to `confusion`, leaving out those labelled 255.
 * `predicted` and `truth` hold class indices, one a pixel, in the same order.
 * @throws AppError `masks.unknown-value` when the truth holds a value that is no class
 */
export function countPixels(confusion: Confusion, predicted: Uint8Array, truth: Uint8Array): void {
  const { classCount, counts } = confusion;
  if (predicted.length !== truth.length) {
    throw new Error(`${predicted.length} predicted pixels for ${truth.length} labelled ones`);
  }
  for (let i = 0; i < truth.length; i++) {
    const label = truth[i] ?? ignoreLabel;
    if (label === ignoreLabel) continue;
    if (label >= classCount) {
      throw new AppError(
        'masks.unknown-value',
        `A mask holds the value ${label}, but there are only the classes 0 to ${classCount - 1}. Import the masks again.`,
      );
    }
    const cell = label * classCount + (predicted[i] ?? 0);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
}

/** Adds `other` to `confusion`. */
export function addConfusion(confusion: Confusion, other: Confusion): void {
  other.counts.forEach((count, i) => (confusion.counts[i] = (confusion.counts[i] ?? 0) + count));
}

/** True and false positives and false negatives of every class of a confusion matrix. */
export function classCounts(confusion: Confusion): ClassCounts {
  const { classCount, counts } = confusion;
  const truePositive = new Array<number>(classCount).fill(0);
  const falsePositive = new Array<number>(classCount).fill(0);
  const falseNegative = new Array<number>(classCount).fill(0);
  counts.forEach((count, i) => {
    const truth = Math.floor(i / classCount);
    const predicted = i % classCount;
    if (truth === predicted) truePositive[truth] = count;
    else {
      falseNegative[truth] = (falseNegative[truth] ?? 0) + count;
      falsePositive[predicted] = (falsePositive[predicted] ?? 0) + count;
    }
  });
  return { truePositive, falsePositive, falseNegative };
}

/**
 * IoU = TP / (TP + FP + FN), Dice = 2 TP / (2 TP + FP + FN) and pixel accuracy from counts that
 * were added up over a whole set. A class without an example is `null` and in no mean.
 */
export function segmentationScores(counts: ClassCounts): SegmentationScores {
  const classes = counts.truePositive.map((tp, c): ClassScore => {
    const fp = counts.falsePositive[c] ?? 0;
    const fn = counts.falseNegative[c] ?? 0;
    const union = tp + fp + fn;
    return {
      iou: union === 0 ? null : tp / union,
      dice: union === 0 ? null : (2 * tp) / (union + tp),
      truthPixels: tp + fn,
      predictedPixels: tp + fp,
    };
  });
  const correct = sum(counts.truePositive);
  const total = correct + sum(counts.falseNegative);
  return {
    classes,
    meanIou: meanOfExamples(classes.map((score) => score.iou)),
    meanDice: meanOfExamples(classes.map((score) => score.dice)),
    pixelAccuracy: total === 0 ? null : correct / total,
  };
}

/** Adds up the counts of several images; all have the same classes. */
export function addCounts(images: readonly ClassCounts[], classCount: number): ClassCounts {
  const total = (pick: (counts: ClassCounts) => readonly number[]): number[] =>
    Array.from({ length: classCount }, (_, c) => sum(images.map((image) => pick(image)[c] ?? 0)));
  return {
    truePositive: total((counts) => counts.truePositive),
    falsePositive: total((counts) => counts.falsePositive),
    falseNegative: total((counts) => counts.falseNegative),
  };
}

/** A score as people read it; an absent class says so. */
export function scoreText(score: number | null): string {
  return score === null ? 'no example' : score.toFixed(3);
}

function meanOfExamples(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : sum(present) / present.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
