import { describe, expect, it } from 'vitest';
import {
  addConfusion,
  addCounts,
  classCounts,
  countPixels,
  createConfusion,
  scoreText,
  segmentationScores,
} from '../../../src-main/finetune/metrics.ts';

describe('segmentation metrics', () => {
  it('counts a hand-made picture and leaves out 255', () => {
    const confusion = createConfusion(3);
    countPixels(confusion, Uint8Array.of(0, 0, 1, 1, 1, 0), Uint8Array.of(0, 1, 1, 1, 0, 255));
    expect([...confusion.counts]).toEqual([1, 1, 0, 1, 2, 0, 0, 0, 0]);
    const scores = segmentationScores(classCounts(confusion));
    expect(scores.classes[0]?.iou).toBeCloseTo(1 / 3);
    expect(scores.classes[0]?.dice).toBeCloseTo(2 / 4);
    expect(scores.classes[1]?.iou).toBeCloseTo(2 / 4);
    expect(scores.classes[1]?.dice).toBeCloseTo(4 / 6);
    expect(scores.classes[1]).toMatchObject({ truthPixels: 3, predictedPixels: 3 });
    expect(scores.pixelAccuracy).toBeCloseTo(3 / 5);
  });

  it('says "no example" for a class in neither picture and leaves it out of the means', () => {
    const confusion = createConfusion(3);
    countPixels(confusion, Uint8Array.of(0, 0), Uint8Array.of(0, 1));
    const scores = segmentationScores(classCounts(confusion));
    expect(scores.classes[2]).toMatchObject({ iou: null, dice: null });
    expect(scoreText(scores.classes[2]?.iou ?? null)).toBe('no example');
    expect(scores.classes[1]?.iou).toBe(0);
    expect(scores.meanIou).toBeCloseTo((1 / 2 + 0) / 2);
    expect(scores.meanDice).toBeCloseTo((2 / 3 + 0) / 2);
  });

  it('has no scores without a labelled pixel', () => {
    const confusion = createConfusion(2);
    countPixels(confusion, Uint8Array.of(0, 1), Uint8Array.of(255, 255));
    expect(segmentationScores(classCounts(confusion))).toMatchObject({
      meanIou: null,
      meanDice: null,
      pixelAccuracy: null,
    });
  });

  it('adds up over images as one confusion matrix does', () => {
    const images = [createConfusion(2), createConfusion(2)];
    const truth = [Uint8Array.of(0, 1, 1, 0), Uint8Array.of(1, 1)];
    const predicted = [Uint8Array.of(0, 1, 0, 1), Uint8Array.of(1, 0)];
    images.forEach((image, i) =>
      countPixels(image, predicted[i] ?? new Uint8Array(), truth[i] ?? new Uint8Array()),
    );
    const total = createConfusion(2);
    for (const image of images) addConfusion(total, image);
    expect(addCounts(images.map(classCounts), 2)).toEqual(classCounts(total));
  });

  it('refuses a mask value that is no class', () => {
    expect(() => countPixels(createConfusion(2), Uint8Array.of(0), Uint8Array.of(7))).toThrow(
      /holds the value 7/,
    );
  });
});
