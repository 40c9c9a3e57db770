import { notLabelled, offsetAt, tileSide, type Rect } from './grid.ts';
import type { TileStore } from './tile-store.ts';

/** Red, green, blue, alpha of each class value, as the words of an ImageData; 0 shows nothing. */
export type ClassColors = Words;

type Words = Uint32Array<ArrayBuffer>;

/** At level n one pixel stands for 2^n x 2^n pixels of the image. */
export const coarsestLevel = 6;

/** The rectangle of a level that covers some pixels of the image. */
export function atLevel({ left, top, right, bottom }: Rect, level: number): Rect {
  const step = 2 ** level;
  return {
    left: Math.floor(left / step),
    top: Math.floor(top / step),
    right: Math.ceil(right / step),
    bottom: Math.ceil(bottom / step),
  };
}

/** The colors of a rectangle of a level, areas filled. Borders are softened above level 0. */
export function filledPixels(
  store: TileStore,
  level: number,
  rect: Rect,
  colors: ClassColors,
): Words {
  if (level === 0) return exactPixels(store, rect, colors);
  const step = 2 ** level;
  const near = step >> 2;
  const far = step - 1 - near;
  const width = rect.right - rect.left;
  const result = new Uint32Array(width * (rect.bottom - rect.top));
  forEachTilePart(store, level, rect, (pixels, part) => {
    for (let y = part.top; y < part.bottom; y++) {
      const upper = ((y * step + near) % tileSide) * tileSide;
      const lower = ((y * step + far) % tileSide) * tileSide;
      let at = (y - rect.top) * width + part.left - rect.left;
      for (let x = part.left; x < part.right; x++) {
        const left = (x * step + near) % tileSide;
        const right = (x * step + far) % tileSide;
        const a = pixels[upper + left] ?? notLabelled;
        const b = pixels[upper + right] ?? notLabelled;
        const c = pixels[lower + left] ?? notLabelled;
        const d = pixels[lower + right] ?? notLabelled;
        const isEven = a === b && a === c && a === d;
        result[at++] = isEven ? (colors[a] ?? 0) : softened([a, b, c, d], colors);
      }
    }
  });
  return result;
}

/** Level 0: each pixel as it is. */
function exactPixels(store: TileStore, rect: Rect, colors: ClassColors): Words {
  const width = rect.right - rect.left;
  const result = new Uint32Array(width * (rect.bottom - rect.top));
  forEachTilePart(store, 0, rect, (pixels, part) => {
    for (let y = part.top; y < part.bottom; y++) {
      let from = offsetAt(part.left, y);
      let at = (y - rect.top) * width + part.left - rect.left;
      for (let x = part.left; x < part.right; x++) {
        result[at++] = colors[pixels[from++] ?? notLabelled] ?? 0;
      }
    }
  });
  return result;
}

/** As `filledPixels`, but only the outermost pixels of each area. */
export function outlinedPixels(
  store: TileStore,
  level: number,
  rect: Rect,
  colors: ClassColors,
): Words {
  const wide = {
    left: rect.left - 1,
    top: rect.top - 1,
    right: rect.right + 1,
    bottom: rect.bottom + 1,
  };
  const values = sampledValues(store, level, wide);
  const width = rect.right - rect.left;
  const stride = width + 2;
  const result = new Uint32Array(width * (rect.bottom - rect.top));
  for (let at = 0; at < result.length; at++) {
    const middle = (Math.floor(at / width) + 1) * stride + (at % width) + 1;
    const value = values[middle] ?? notLabelled;
    const isEdge =
      values[middle - 1] !== value ||
      values[middle + 1] !== value ||
      values[middle - stride] !== value ||
      values[middle + stride] !== value;
    if (isEdge) result[at] = colors[value] ?? 0;
  }
  return result;
}

/** The class value in the middle of each pixel of a level. */
function sampledValues(store: TileStore, level: number, rect: Rect): Uint8Array {
  const step = 2 ** level;
  const middle = step >> 1;
  const width = rect.right - rect.left;
  const values = new Uint8Array(width * (rect.bottom - rect.top)).fill(notLabelled);
  forEachTilePart(store, level, rect, (pixels, part) => {
    for (let y = part.top; y < part.bottom; y++) {
      const row = ((y * step + middle) % tileSide) * tileSide;
      let at = (y - rect.top) * width + part.left - rect.left;
      for (let x = part.left; x < part.right; x++) {
        values[at++] = pixels[row + ((x * step + middle) % tileSide)] ?? notLabelled;
      }
    }
  });
  return values;
}

/** The known tiles below a rectangle of a level, each with its part of it. */
function forEachTilePart(
  store: TileStore,
  level: number,
  rect: Rect,
  visit: (pixels: Uint8Array, part: Rect) => void,
): void {
  const { grid } = store;
  const side = tileSide >> level;
  const first = { column: Math.floor(rect.left / side), row: Math.floor(rect.top / side) };
  const lastColumn = Math.min(grid.columns - 1, Math.floor((rect.right - 1) / side));
  const lastRow = Math.min(grid.rows - 1, Math.floor((rect.bottom - 1) / side));
  for (let row = Math.max(0, first.row); row <= lastRow; row++) {
    for (let column = Math.max(0, first.column); column <= lastColumn; column++) {
      const tile = row * grid.columns + column;
      const pixels = store.isBlank(tile) ? undefined : store.pixels(tile);
      if (pixels === undefined) continue;
      visit(pixels, {
        left: Math.max(rect.left, column * side),
        top: Math.max(rect.top, row * side),
        right: Math.min(rect.right, (column + 1) * side),
        bottom: Math.min(rect.bottom, (row + 1) * side),
      });
    }
  }
}

/** The color of the first labelled sample, as strong as samples are labelled. */
function softened(samples: readonly number[], colors: ClassColors): number {
  const shown = samples.map((value) => colors[value] ?? 0).filter((color) => color !== 0);
  const [first] = shown;
  if (first === undefined) return 0;
  const alpha = Math.round(((first >>> 24) * shown.length) / samples.length);
  return ((first & 0xffffff) | (alpha << 24)) >>> 0;
}
