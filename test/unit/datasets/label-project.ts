import { join } from 'node:path';
import { addClass } from '../../../src-main/datasets/class-edit.ts';
import { openImageMask } from '../../../src-main/datasets/class-mask.ts';
import type { LabelStore } from '../../../src-main/datasets/label-store.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import {
  decodeRuns,
  encodeRuns,
  labelTilePx,
  tileGrid,
  tileSize,
  type TileSize,
} from '../../../src-main/lib/label-runs.ts';
import type { NewImage } from '../../../src-main/project/images.ts';
import type { StoredTile } from '../../../src-main/project/labels.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';

export type LabelledShape = TileSize & Partial<Pick<NewImage, 'groupKey' | 'split'>>;

/** A project with images that exist in the database only, and classes "ground", "cell", ... */
export function labelProject(
  folder: string,
  shapes: readonly LabelledShape[],
  classNames: readonly string[] = ['ground', 'cell', 'wall'],
): { readonly project: Project; readonly imageIds: readonly string[] } {
  const project = createProject(join(folder, 'Labels.decon'));
  const { id: folderId } = project.images.addFolder('/data');
  const images = project.images.upsertMany(
    shapes.map(({ widthPx, heightPx, groupKey = null, split = null }, i) => ({
      folderId,
      relPath: `${String(i).padStart(3, '0')}.png`,
      bytes: 1,
      modifiedMs: 1,
      sha256: String(i),
      format: 'png',
      widthPx,
      heightPx,
      channels: 3,
      bitDepth: 8,
      pages: 1,
      facts: {},
      groupKey,
      split,
      status: 'usable' as const,
      duplicateOf: null,
    })),
  );
  for (const name of classNames) addClass(project, { name });
  return { project, imageIds: images.map(({ id }) => id) };
}

/** All tiles of pixels `[heightPx, widthPx]`. */
export function tilesOf(pixels: Uint8Array, image: TileSize): StoredTile[] {
  const { columns, rows } = tileGrid(image);
  return Array.from({ length: columns * rows }, (_, i) => {
    const [x, y] = [i % columns, Math.floor(i / columns)];
    const size = tileSize(image, x, y);
    const tile = new Uint8Array(size.widthPx * size.heightPx);
    for (let row = 0; row < size.heightPx; row++) {
      const from = (y * labelTilePx + row) * image.widthPx + x * labelTilePx;
      tile.set(pixels.subarray(from, from + size.widthPx), row * size.widthPx);
    }
    return { x, y, runs: encodeRuns(tile) };
  });
}

/** The label as the editor sees it, `[heightPx, widthPx]`. */
export async function readLabel(
  store: LabelStore,
  imageId: string,
  image: TileSize,
): Promise<Uint8Array> {
  const { columns, rows } = tileGrid(image);
  const places = Array.from({ length: columns * rows }, (_, i) => ({
    x: i % columns,
    y: Math.floor(i / columns),
  }));
  const pixels = new Uint8Array(image.widthPx * image.heightPx);
  for (const { x, y, runs } of await store.tiles(imageId, places)) {
    const size = tileSize(image, x, y);
    const tile = decodeRuns(runs, size.widthPx * size.heightPx);
    for (let row = 0; row < size.heightPx; row++) {
      const to = (y * labelTilePx + row) * image.widthPx + x * labelTilePx;
      pixels.set(tile.subarray(row * size.widthPx, (row + 1) * size.widthPx), to);
    }
  }
  return pixels;
}

/** The mask as training sees it. */
export async function readMask(project: Project, imageId: string): Promise<Uint8Array> {
  const mask = defined(await openImageMask(project, imageId), 'mask');
  return mask.readRows(0, mask.heightPx);
}
