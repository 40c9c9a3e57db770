import type { Project } from '../project/project.ts';
import { assignSplits, defaultShares, labelledSplits, type SplitItem } from './splits.ts';
import { readSplitChoice } from './stored-settings.ts';

/**
 * Puts an image that has just been labelled into train, val or test by the project's rule. Earlier
 * decisions stay, and images of one group stay together. Once given, the part stays with the image
 * even while it is labelled anew, so that no test image ever wanders into the training.
 */
export function assignSplitTo(project: Project, imageId: string): void {
  const image = project.images.get(imageId);
  if (image === undefined || labelledSplits.some((split) => split === image.split)) return;
  const { shares, seed } = readSplitChoice(project) ?? { shares: defaultShares, seed: 0 };
  const labelled = project.labelLists.labelledImages();
  const members = image.groupKey === null ? [] : project.labelLists.groupMembers(image.groupKey);
  const isLabelled = new Set(labelled.map(({ id }) => id));
  const items: SplitItem[] = [
    ...labelled.map(({ id, group, split, classPixels }) => ({
      id,
      group,
      classes: classPixels.flatMap((pixels, index) => (pixels > 0 ? [index] : [])),
      split: labelledSplits.find((name) => name === split) ?? null,
    })),
    ...members
      .filter(({ id }) => !isLabelled.has(id))
      .map(({ id, split }) => ({
        id,
        group: image.groupKey,
        classes: null,
        split: labelledSplits.find((name) => name === split) ?? null,
      })),
  ];
  const splits = assignSplits(items, shares, seed);
  const changed = new Map([[imageId, splits.get(imageId) ?? null]]);
  // The rest of its group goes with it: held out together, or free for pre-training.
  for (const { id, split } of members) {
    const isDecided = labelledSplits.some((name) => name === split);
    if (!isLabelled.has(id) && !isDecided) changed.set(id, splits.get(id) ?? null);
  }
  project.images.setSplits(changed);
}
