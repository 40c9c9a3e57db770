import { createHash } from 'node:crypto';
import type { Project } from '../project/project.ts';

/**
 * A short name for the labels of some images as they are now: it changes with every edit, import or
 * new image. A run keeps it, so that one can tell whether two runs learned from the same labels.
 */
export function labelRevision(project: Project, imageIds: readonly string[]): string {
  const hash = createHash('sha256');
  for (const imageId of [...imageIds].sort()) {
    const mask = project.masks.get(imageId);
    const facts = mask && [mask.path, mask.format, mask.details, mask.classPixels];
    hash.update(`${JSON.stringify([imageId, facts ?? null])}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
