import { AppError } from '../lib/errors.ts';
import { tileGrid } from '../lib/label-runs.ts';
import type { ImageRow } from '../project/images.ts';
import type { LabelRow } from '../project/labels.ts';
import type { Project } from '../project/project.ts';
import { shown } from './file-errors.ts';

/**
 * The image, when it can be labelled.
 * @throws AppError `labels.no-image`, `labels.other-size`
 */
export function requireLabelImage(project: Project, imageId: string): ImageRow {
  const image = project.images.get(imageId);
  if (image?.status !== 'usable') {
    throw new AppError(
      'labels.no-image',
      'This image is not in use any more: it was removed, or it is a copy of another one. Choose another image.',
    );
  }
  const label = project.labels.get(imageId);
  if (label === undefined) return image;
  if (label.widthPx === image.widthPx && label.heightPx === image.heightPx) return image;
  throw new AppError(
    'labels.other-size',
    `${shown(image.relPath)} was labelled at ${label.widthPx} x ${label.heightPx} px, but the file now has ` +
      `${image.widthPx} x ${image.heightPx} px. Put the earlier file back and import the folder again; the label is kept.`,
  );
}

/** A label without a pixel. */
export function newLabel({ id, widthPx, heightPx }: ImageRow): LabelRow {
  return {
    imageId: id,
    state: 'started',
    source: 'painted',
    widthPx,
    heightPx,
    position: 0,
    revision: 0,
    valuePixels: {},
    confirmedAt: null,
    changedAt: 0,
  };
}

/** All tiles of a label, row by row. */
export function everyTile(label: LabelRow): { readonly x: number; readonly y: number }[] {
  const { columns, rows } = tileGrid(label);
  return Array.from({ length: columns * rows }, (_, i) => ({
    x: i % columns,
    y: Math.floor(i / columns),
  }));
}
