import { decodeRuns, labelTilePx, tileSize, type TileSize } from '../lib/label-runs.ts';
import type { Project } from '../project/project.ts';
import { ignoredClass } from './tile-cache.ts';
import type { ClassMaskReader } from './class-mask.ts';

/** Reads a painted label straight from its tiles, as class indices; what is not labelled is 255. */
export function openPaintedMask(
  project: Project,
  mask: TileSize & { readonly imageId: string },
): ClassMaskReader {
  const { imageId, widthPx, heightPx } = mask;
  const indexOf = classIndexTable(project);
  return {
    widthPx,
    heightPx,
    readRows: (topPx, rows) => {
      const classes = new Uint8Array(widthPx * rows).fill(ignoredClass);
      const lastY = Math.floor((topPx + rows - 1) / labelTilePx);
      for (let y = Math.floor(topPx / labelTilePx); y <= lastY; y++) {
        for (const tile of project.labels.tilesOfRow(imageId, y)) {
          const size = tileSize(mask, tile.x, y);
          const pixels = decodeRuns(tile.runs, size.widthPx * size.heightPx);
          const firstRow = Math.max(topPx, y * labelTilePx);
          const endRow = Math.min(topPx + rows, y * labelTilePx + size.heightPx);
          for (let row = firstRow; row < endRow; row++) {
            const from = (row - y * labelTilePx) * size.widthPx;
            const to = (row - topPx) * widthPx + tile.x * labelTilePx;
            for (let column = 0; column < size.widthPx; column++) {
              classes[to + column] = indexOf[pixels[from + column] ?? ignoredClass] ?? ignoredClass;
            }
          }
        }
      }
      return Promise.resolve(classes);
    },
  };
}

/** Class index by label value; 255 for values without a class. */
function classIndexTable(project: Project): Uint8Array {
  const table = new Uint8Array(256).fill(ignoredClass);
  for (const { labelValue, classIndex } of project.classes.list()) table[labelValue] = classIndex;
  return table;
}
