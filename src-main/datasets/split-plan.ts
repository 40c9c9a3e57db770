import type { ImageOutline } from '../project/image-outlines.ts';
import type { Project } from '../project/project.ts';
import type { GroupOf } from './groups.ts';
import type { Split } from './import-types.ts';
import { assignParts, labelledSplits, type SplitItem, type SplitShares } from './splits.ts';

/** How images are to be divided. */
export interface SplitRule {
  /** Absent: groups stay as they are stored. */
  readonly groupOf?: GroupOf | undefined;
  readonly shares: SplitShares;
  readonly seed: number;
  /** Labelled images stay in the part they are in. */
  readonly keepsEarlier: boolean;
}

/** The group and the part of each image, in their order, not stored yet. */
export interface SplitPlan {
  readonly groups: readonly (string | null)[];
  /** Copies of other images have none. */
  readonly splits: readonly (Split | null)[];
}

/** The outlines of all images in memory; take care not to keep them in a job for long. */
export function allOutlines(project: Project): ImageOutline[] {
  return [...project.imageOutlines.pages()].flat();
}

/**
 * Divides images. Import and preview both call this, so that what was shown is what is done.
 */
export function planSplit(images: readonly ImageOutline[], rule: SplitRule): SplitPlan {
  const groups: (string | null)[] = [];
  const items: SplitItem[] = [];
  for (const { id, relPath, groupKey, isUsable, split, classPixels } of images) {
    const group = rule.groupOf === undefined ? groupKey : rule.groupOf(relPath);
    groups.push(group);
    if (isUsable === 0) continue;
    const isKept = rule.keepsEarlier && classPixels !== null;
    items.push({
      id,
      group,
      classes: classPixels === null ? null : presentClasses(classPixels),
      split: isKept ? (labelledSplits.find((name) => name === split) ?? null) : null,
    });
  }
  const parts = assignParts(items, rule.shares, rule.seed);
  let next = 0;
  const splits = images.map(({ isUsable }) => (isUsable === 0 ? null : (parts[next++] ?? null)));
  return { groups, splits };
}

/** Stores what changes. */
export function storePlan(
  project: Project,
  images: readonly ImageOutline[],
  { groups, splits }: SplitPlan,
): void {
  const changedGroups = new Map<string, string | null>();
  const changedSplits = new Map<string, Split | null>();
  for (const [i, { id, groupKey, split }] of images.entries()) {
    if (groups[i] !== groupKey) changedGroups.set(id, groups[i] ?? null);
    if (splits[i] !== split) changedSplits.set(id, splits[i] ?? null);
  }
  project.transaction(() => {
    project.images.setGroups(changedGroups);
    project.images.setSplits(changedSplits);
  });
}

function presentClasses(classPixels: readonly number[]): number[] {
  const present: number[] = [];
  for (let index = 0; index < classPixels.length; index++) {
    if ((classPixels[index] ?? 0) > 0) present.push(index);
  }
  return present;
}
