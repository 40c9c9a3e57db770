import { forEachRun, labelTilePx, tileSize, type TileSize } from '../lib/label-runs.ts';
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
          const left = tile.x * labelTilePx;
          const width = tileSize(mask, tile.x, y).widthPx;
          let at = 0;
          forEachRun(tile.runs, (value, length) => {
            const classIndex = indexOf[value] ?? ignoredClass;
            // A run goes on in the next row of the tile.
            for (const end = at + length; at < end;) {
              const row = Math.floor(at / width);
              const next = Math.min(end, (row + 1) * width);
              const to = (y * labelTilePx + row - topPx) * widthPx + left - row * width;
              const isWanted = y * labelTilePx + row >= topPx && to + at < classes.length;
              if (isWanted) classes.fill(classIndex, to + at, to + next);
              at = next;
            }
          });
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
