import { statSync } from 'node:fs';
import { ByteCache } from '../lib/byte-cache.ts';
import { AppError } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import { fromHex } from './class-colors.ts';
import { openImageMask } from './class-mask.ts';
import { encodeOverlay } from './encode.ts';
import { fitInside } from './picture-thumbnail.ts';
import { levelSize, tileSidePx } from './picture-tiles.ts';
import { readMaskMapping } from './stored-settings.ts';
import { ignoredClass } from './tile-cache.ts';

/** Class indices, `[heightPx, widthPx]`. */
export interface ClassPicture {
  readonly data: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
}

const held = new ByteCache<ClassPicture>(200e6, ({ data }) => data.length);

/**
 * One square of a mask made smaller by 2^level, as a PNG in the colors of its classes. Black classes
 * (mostly the background) and what is ignored show nothing.
 * @throws AppError `masks.*`
 */
export async function maskTile(
  project: Project,
  imageId: string,
  place: { readonly level: number; readonly x: number; readonly y: number },
  isOutline: boolean,
): Promise<Uint8Array> {
  const classes = await heldClasses(project, imageId);
  const size = levelSize(classes, place.level);
  const left = place.x * tileSidePx;
  const top = place.y * tileSidePx;
  const square = {
    left,
    top,
    widthPx: Math.min(tileSidePx, size.widthPx - left),
    heightPx: Math.min(tileSidePx, size.heightPx - top),
  };
  return colorClasses(classes, { size, square, isOutline, colors: visibleColors(project) });
}

/** The whole mask, as large as the thumbnail of its image. */
export async function maskThumbnail(
  project: Project,
  imageId: string,
  sizePx: number,
): Promise<Uint8Array> {
  const classes = await heldClasses(project, imageId);
  const size = fitInside(classes, sizePx);
  const square = { left: 0, top: 0, ...size };
  return colorClasses(classes, { size, square, isOutline: false, colors: visibleColors(project) });
}

/** Colors to lay over an image: black means "nothing here" and would only hide the image. */
export function visibleColors(project: Project) {
  return project.classes.list().filter(({ color }) => fromHex(color) !== 0);
}

/**
 * A part of a mask as it looks at another size: nearest neighbor, so that classes stay classes. Those
 * without a color stay transparent.
 */
export function colorClasses(
  classes: ClassPicture,
  view: {
    /** Of the whole mask at the other size. */
    readonly size: { readonly widthPx: number; readonly heightPx: number };
    readonly square: {
      readonly left: number;
      readonly top: number;
      readonly widthPx: number;
      readonly heightPx: number;
    };
    readonly isOutline: boolean;
    readonly colors: readonly { readonly classIndex: number; readonly color: string }[];
  },
): Promise<Uint8Array> {
  const { size, square, isOutline } = view;
  const colors = new Map(view.colors.map(({ classIndex, color }) => [classIndex, fromHex(color)]));
  const columns = sourcePlaces(square.left, square.widthPx, size.widthPx, classes.widthPx);
  const rows = sourcePlaces(square.top, square.heightPx, size.heightPx, classes.heightPx);
  const at = (row: number, column: number): number =>
    classes.data[(rows[row] ?? 0) * classes.widthPx + (columns[column] ?? 0)] ?? ignoredClass;
  const data = new Uint8Array(square.widthPx * square.heightPx * 4);
  // Places are one longer than the square on each side, for the outlines at its edges.
  for (let row = 1; row <= square.heightPx; row++) {
    for (let column = 1; column <= square.widthPx; column++) {
      const index = at(row, column);
      const color = colors.get(index);
      if (color === undefined) continue;
      const isInside =
        isOutline &&
        at(row - 1, column) === index &&
        at(row + 1, column) === index &&
        at(row, column - 1) === index &&
        at(row, column + 1) === index;
      if (isInside) continue;
      const to = ((row - 1) * square.widthPx + column - 1) * 4;
      data[to] = color >> 16;
      data[to + 1] = (color >> 8) & 0xff;
      data[to + 2] = color & 0xff;
      data[to + 3] = 0xff;
    }
  }
  return encodeOverlay({ data, widthPx: square.widthPx, heightPx: square.heightPx });
}

/** Where the pixels of a part come from, and one before and after it. */
function sourcePlaces(start: number, count: number, scaled: number, length: number): number[] {
  return Array.from({ length: count + 2 }, (_, i) => {
    const place = Math.floor(((start + i - 1 + 0.5) * length) / scaled);
    return Math.min(length - 1, Math.max(0, place));
  });
}

/** Read again when the mask has changed. */
function heldClasses(project: Project, imageId: string): Promise<ClassPicture> {
  const mask = project.masks.get(imageId);
  if (mask === undefined) throw missing();
  const file = statSync(mask.path, { throwIfNoEntry: false });
  const revision = project.labels.get(imageId)?.revision;
  const mapping = readMaskMapping(project);
  const key = JSON.stringify([mask, revision, mapping, file?.mtimeMs, file?.size]);
  return held.get(key, async () => {
    const reader = await openImageMask(project, imageId);
    if (reader === undefined) throw missing();
    const { widthPx, heightPx } = reader;
    return { data: await reader.readRows(0, heightPx), widthPx, heightPx };
  });
}

function missing(): AppError {
  return new AppError('masks.missing', 'This image has no mask yet.');
}
