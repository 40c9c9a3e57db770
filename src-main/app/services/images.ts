import * as v from 'valibot';
import type { ImageDetails, ImageItem } from '../../contract/images.ts';
import { imageFactsSchema, noticesOf } from '../../datasets/image-facts.ts';
import { AppError } from '../../lib/errors.ts';
import type { ImagePageItem } from '../../project/image-pages.ts';
import type { ImageRow } from '../../project/images.ts';
import type { MaskRow } from '../../project/masks.ts';
import type { Project } from '../../project/project.ts';
import { imageVersion } from '../pictures/versions.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

export function imagesService(workspace: Workspace) {
  const procedures = implementation.images;
  return {
    list: procedures.list.handler(({ input: { order, offset, limit, ...filter } }) =>
      workspace.project.imagePages.list(filter, { order, offset, limit }).map(itemOf),
    ),
    count: procedures.count.handler(({ input }) => ({
      count: workspace.project.imagePages.count(input),
    })),
    locate: procedures.locate.handler(({ input: { order, imageId, ...filter } }) => ({
      index: workspace.project.imagePages.locate(filter, order, imageId) ?? null,
    })),
    get: procedures.get.handler(({ input }) => detailsOf(workspace, input.imageId)),
  };
}

function itemOf({ relPath, sha256, isLabelled, ...item }: ImagePageItem): ImageItem {
  return {
    ...item,
    name: relPath,
    isLabelled: isLabelled === 1,
    version: imageVersion({ sha256 }),
  };
}

function detailsOf(workspace: Workspace, imageId: string): ImageDetails {
  const { project, places } = workspace;
  const image = requireImage(project, imageId);
  const mask = project.masks.get(imageId);
  const facts = v.parse(imageFactsSchema, image.facts);
  const original = image.duplicateOf === null ? undefined : project.images.get(image.duplicateOf);
  const { id, relPath, sha256, widthPx, heightPx, split, status } = image;
  return {
    ...itemOf({
      id,
      relPath,
      widthPx,
      heightPx,
      split,
      status,
      sha256,
      isLabelled: mask === undefined ? 0 : 1,
    }),
    place: places.add(project.images.pathOf(image)),
    bytes: image.bytes,
    modifiedAt: image.modifiedMs,
    format: image.format,
    channels: image.channels,
    bitDepth: image.bitDepth,
    pages: image.pages,
    ranges: facts.ranges,
    intensity: facts.intensity,
    notices: [...noticesOf(relPath, facts)],
    group: image.groupKey,
    duplicateOf: original === undefined ? null : { id: original.id, name: original.relPath },
    ...classSharesOf(project, mask),
  };
}

/** @throws AppError `images.unknown` */
export function requireImage(project: Project, imageId: string): ImageRow {
  const image = project.images.get(imageId);
  if (image !== undefined) return image;
  throw new AppError(
    'images.unknown',
    'This image is no longer in the project. Go back to the images.',
  );
}

function classSharesOf(
  project: Project,
  mask: MaskRow | undefined,
): Pick<ImageDetails, 'classes' | 'ignoredShare'> {
  if (mask === undefined) return { classes: [], ignoredShare: 0 };
  const total = Math.max(1, mask.widthPx * mask.heightPx);
  return {
    classes: project.classes.list().map(({ classIndex, name, color }) => {
      const pixels = mask.classPixels[classIndex] ?? 0;
      return { index: classIndex, name, color, pixels, share: Math.min(1, pixels / total) };
    }),
    ignoredShare: Math.min(1, mask.ignoredPixels / total),
  };
}
