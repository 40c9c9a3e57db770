import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeRuns, labelTilePx, notLabelled, tileGrid, tileSize } from '../lib/label-runs.ts';
import type { StoredTile } from '../project/labels.ts';
import type { Project } from '../project/project.ts';
import { openImageMask } from './class-mask.ts';

/** Main does this too, and must not be held up by one band for long. */
const bandPixels = 16e6;

/**
 * The label that an imported mask file stands for, as tiles; those without any class are left out.
 * Gives other work a turn after each row of tiles.
 * @throws AppError `masks.*`
 */
export async function readMaskTiles(project: Project, imageId: string): Promise<StoredTile[]> {
  const mask = await openImageMask(project, imageId);
  if (mask === undefined) return [];
  const values = labelValueTable(project);
  const tileRowsPerBand = Math.max(1, Math.floor(bandPixels / mask.widthPx / labelTilePx));
  const { columns, rows } = tileGrid(mask);
  const tiles: StoredTile[] = [];
  for (let bandY = 0; bandY < rows; bandY += tileRowsPerBand) {
    const endY = Math.min(rows, bandY + tileRowsPerBand);
    const topPx = bandY * labelTilePx;
    const bottomPx = Math.min(mask.heightPx, endY * labelTilePx);
    const classes = await mask.readRows(topPx, bottomPx - topPx);
    for (let y = bandY; y < endY; y++) {
      for (let x = 0; x < columns; x++) {
        const size = tileSize(mask, x, y);
        const pixels = new Uint8Array(size.widthPx * size.heightPx);
        let isLabelled = false;
        for (let row = 0; row < size.heightPx; row++) {
          const from = (y * labelTilePx + row - topPx) * mask.widthPx + x * labelTilePx;
          for (let column = 0; column < size.widthPx; column++) {
            const value = values[classes[from + column] ?? notLabelled] ?? notLabelled;
            pixels[row * size.widthPx + column] = value;
            if (value !== notLabelled) isLabelled = true;
          }
        }
        if (isLabelled) tiles.push({ x, y, runs: encodeRuns(pixels) });
      }
      await nextTurn();
    }
  }
  return tiles;
}

/** Label value by class index; "not labelled" for indices without a class. */
function labelValueTable(project: Project): Uint8Array {
  const table = new Uint8Array(256).fill(notLabelled);
  for (const { labelValue, classIndex } of project.classes.list()) table[classIndex] = labelValue;
  return table;
}
