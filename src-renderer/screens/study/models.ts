import type { Finetuning, FinetuningDetail, Part } from '../../../src-main/contract/finetunings.ts';

/**
 * What a model is held against: the training from random weights with the same labels and seed in
 * its study; else the newest other one from random weights.
 */
export function baselineOf(
  model: Finetuning,
  others: readonly Finetuning[],
): Finetuning | undefined {
  const random = others.filter(({ start, runId }) => start === 'random' && runId !== model.runId);
  const paired = random.find(
    (other) =>
      model.study !== null &&
      other.study?.studyId === model.study.studyId &&
      other.share === model.share &&
      other.seed === model.seed,
  );
  if (paired !== undefined) return paired;
  return model.start === 'random' && model.study !== null ? undefined : random[0];
}

/** The part of the images that is shown: the asked one where it exists, else test before validation. */
export function partOf(
  model: Pick<FinetuningDetail, 'val' | 'test'>,
  query: Readonly<Record<string, string>>,
): Part {
  if (query['part'] === 'val' && model.val !== null) return 'val';
  return model.test === null ? 'val' : 'test';
}

/** Pixels in a few characters: `1.2 M`, `340 k`. */
export function pixelText(pixels: number): string {
  const units = [
    { from: 1e9, name: 'G' },
    { from: 1e6, name: 'M' },
    { from: 1e3, name: 'k' },
  ];
  const unit = units.find(({ from }) => pixels >= from);
  if (unit === undefined) return String(pixels);
  const value = pixels / unit.from;
  return `${value >= 99.5 ? value.toFixed(0) : Number(value.toPrecision(2))}\u202f${unit.name}`;
}

/** One row of a confusion matrix as shares of its pixels; null where the class has none. */
export function rowShares(confusion: readonly number[], classCount: number): (number | null)[] {
  return confusion.map((count, i) => {
    const from = Math.floor(i / classCount) * classCount;
    const total = confusion.slice(from, from + classCount).reduce((sum, value) => sum + value, 0);
    return total === 0 ? null : count / total;
  });
}

export interface ConfusedPair {
  readonly truth: number;
  readonly predicted: number;
  readonly pixels: number;
  /** Of the pixels of the true class. */
  readonly share: number;
}

/** The pairs of classes that are confused most, by pixels; at most eight. */
export function largestConfusions(
  confusion: readonly number[],
  classCount: number,
): readonly ConfusedPair[] {
  const shares = rowShares(confusion, classCount);
  return confusion
    .map((pixels, i) => ({
      truth: Math.floor(i / classCount),
      predicted: i % classCount,
      pixels,
      share: shares[i] ?? 0,
    }))
    .filter(({ truth, predicted, pixels }) => truth !== predicted && pixels > 0)
    .sort((a, b) => b.pixels - a.pixels)
    .slice(0, 8);
}
