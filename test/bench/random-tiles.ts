import { defined } from '../../src-main/lib/errors.ts';
import { Random } from '../../src-main/lib/random.ts';
import type { TileCache } from '../../src-main/datasets/tile-cache.ts';

/** Side of the coarse pattern, in cells. */
const cells = 8;

/**
 * Tiles in memory: blobs of color with noise, and with `classCount` labels that follow a blob's
 * color. What a step costs does not depend on what they show, as long as losses stay plausible.
 */
export function randomTiles(options: {
  readonly count: number;
  readonly tilePx: number;
  readonly classCount?: number;
}): TileCache {
  const { count, tilePx, classCount } = options;
  const random = new Random(1);
  const area = tilePx ** 2;
  const images = new Uint8Array(count * area * 3);
  const masks = new Uint8Array(classCount === undefined ? 0 : count * area);
  for (let index = 0; index < count; index++) {
    const coarse = Float32Array.from({ length: cells * cells * 3 }, () => random.uniform(0, 200));
    for (let pixel = 0; pixel < area; pixel++) {
      const row = Math.floor((Math.floor(pixel / tilePx) * cells) / tilePx);
      const cell = row * cells + Math.floor(((pixel % tilePx) * cells) / tilePx);
      for (let c = 0; c < 3; c++) {
        images[(index * area + pixel) * 3 + c] = (coarse[cell * 3 + c] ?? 0) + random.integer(56);
      }
      if (classCount === undefined) continue;
      masks[index * area + pixel] = Math.floor(((coarse[cell * 3] ?? 0) / 200) * classCount);
    }
  }
  const tiles = Array.from({ length: count }, (_, index) => ({
    ...{ imageId: '', leftPx: 0, topPx: 0, widthPx: tilePx, heightPx: tilePx },
    ...(classCount === undefined
      ? {}
      : { classPixels: counted(masks.subarray(index * area, (index + 1) * area), classCount) }),
  }));
  return {
    ...{ count, tileSizePx: tilePx, scale: 1 },
    tile: (index) => defined(tiles[index], `tile ${index}`),
    readImages: (indices, target) => copy(images, 3 * area, indices, target),
    readMasks: (indices, target) => copy(masks, area, indices, target),
    dispose: () => undefined,
  };
}

function counted(mask: Uint8Array, classCount: number): number[] {
  const pixels = new Array<number>(classCount).fill(0);
  for (const value of mask) pixels[value] = (pixels[value] ?? 0) + 1;
  return pixels;
}

function copy(
  source: Uint8Array,
  bytes: number,
  indices: ArrayLike<number>,
  target: Uint8Array,
): void {
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] ?? 0) * bytes;
    target.set(source.subarray(from, from + bytes), i * bytes);
  }
}
