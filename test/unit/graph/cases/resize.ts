import { image } from '@tensorflow/tfjs-core';
import type { OpCase } from '../check-op.ts';
import { floats } from './inputs.ts';
import { rank4 } from './ranks.ts';

type Resize = typeof image.resizeBilinear;

/** Height and width before, height and width after. */
type Sizes = readonly [number, number, number, number];

const bilinearSizes: readonly Sizes[] = [
  [3, 4, 6, 8],
  [3, 4, 7, 9],
  [6, 8, 3, 4],
  [5, 7, 3, 2],
  [1, 1, 3, 4],
  [4, 3, 1, 1],
  [3, 4, 3, 4],
];

const nearestSizes: readonly Sizes[] = [
  [3, 4, 6, 8],
  [3, 4, 9, 4],
  [3, 4, 3, 4],
];

function resizeCase(
  name: string,
  resize: Resize,
  [height, width, toHeight, toWidth]: Sizes,
  settings: { readonly alignCorners?: boolean; readonly halfPixelCenters?: boolean },
): OpCase {
  const { alignCorners = false, halfPixelCenters = false } = settings;
  return {
    name: `${name} ${height}x${width} to ${toHeight}x${toWidth}, ${JSON.stringify(settings)}`,
    inputs: [floats([2, height, width, 3])],
    op: (x) => resize(rank4(x), [toHeight, toWidth], alignCorners, halfPixelCenters),
    brokenReference:
      "tfjs's plain backend swaps height and width (bilinear) or reads the wrong image (nearest)",
  };
}

export const resizeCases: readonly OpCase[] = [
  ...bilinearSizes.flatMap((sizes) =>
    [{}, { alignCorners: true }, { halfPixelCenters: true }].map((settings) =>
      resizeCase('resizeBilinear', image.resizeBilinear, sizes, settings),
    ),
  ),
  ...nearestSizes.flatMap((sizes) =>
    [{}, { halfPixelCenters: true }].map((settings) =>
      resizeCase('resizeNearestNeighbor', image.resizeNearestNeighbor, sizes, settings),
    ),
  ),
];
