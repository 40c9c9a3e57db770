import { describe, expect, it } from 'vitest';
import { listImages } from '../../../src-main/finetune/image-list.ts';
import { classCounts, type ImageCounts } from '../../../src-main/finetune/metrics.ts';

/** An image with this confusion matrix, [truth, predicted], of two classes. */
function image(imageId: string, confusion: readonly number[]): ImageCounts {
  const counts = Float64Array.from(confusion);
  return { imageId, confusion, ...classCounts({ classCount: 2, counts }) };
}

const images = [
  image('good', [90, 0, 1, 9]),
  image('bad', [50, 40, 5, 5]),
  image('middle', [80, 5, 10, 5]),
  image('empty', [0, 0, 0, 0]),
];
const query = { metric: 'meanIou', order: 'worst', show: 'all', rightFrom: 0.8 } as const;
const ids = (list: ReturnType<typeof listImages>) => list.images.map(({ imageId }) => imageId);

describe('listImages', () => {
  it('sorts by score, images without a score last', () => {
    expect(ids(listImages(images, query))).toEqual(['bad', 'middle', 'good', 'empty']);
    expect(ids(listImages(images, { ...query, order: 'best' }))).toEqual([
      'good',
      'middle',
      'bad',
      'empty',
    ]);
  });

  it('leaves those inside a cell of the confusion matrix, most pixels first', () => {
    const cell = { truth: 0, predicted: 1 };
    const list = listImages(images, { ...query, cell });
    expect(list.images.map(({ imageId, cellPixels }) => [imageId, cellPixels])).toEqual([
      ['bad', 40],
      ['middle', 5],
    ]);
  });

  it('parts right from wrong ones and counts both', () => {
    const right = listImages(images, { ...query, show: 'right' });
    expect(ids(right)).toEqual(['good']);
    expect([right.right, right.wrong]).toEqual([1, 3]);
    expect(ids(listImages(images, { ...query, show: 'wrong' }))).not.toContain('good');
  });

  it('knows no cells of results that did not keep them', () => {
    const { imageId, truePositive, falsePositive, falseNegative } = images[1] ?? image('', []);
    const old = { imageId, truePositive, falsePositive, falseNegative };
    const cell = { truth: 0, predicted: 1 };
    expect(listImages([old], { ...query, cell }).images).toEqual([]);
  });
});
