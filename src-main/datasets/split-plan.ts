import type { ImageOutline } from '../project/image-outlines.ts';
import type { Project } from '../project/project.ts';
import type { GroupOf } from './groups.ts';
import type { Split } from './import-types.ts';
import { assignSplits, labelledSplits, type SplitItem, type SplitShares } from './splits.ts';

/** How images are to be divided. */
export interface SplitRule {
  /** Absent: groups stay as they are stored. */
  readonly groupOf?: GroupOf | undefined;
  readonly shares: SplitShares;
  readonly seed: number;
  /** Labelled images stay in the part they are in. */
  readonly keepsEarlier: boolean;
}

/** The group and the part of each image, not stored yet. */
export interface SplitPlan {
  readonly groups: ReadonlyMap<string, string | null>;
  readonly splits: ReadonlyMap<string, Split | null>;
}

/** The outlines of all images in memory; take care not to keep them in a job for long. */
export function allOutlines(project: Project): ImageOutline[] {
  return [...project.imageOutlines.pages()].flat();
}

/**
 * Divides images. Import and preview both call this, so that what was shown is what is done.
 * Copies of other images get no part.
 */
export function planSplit(images: readonly ImageOutline[], rule: SplitRule): SplitPlan {
  const groups = new Map<string, string | null>();
  const items: SplitItem[] = [];
  for (const { id, relPath, groupKey, isUsable, split, classPixels } of images) {
    const group = rule.groupOf === undefined ? groupKey : rule.groupOf(relPath);
    groups.set(id, group);
    if (isUsable === 0) continue;
    const isKept = rule.keepsEarlier && classPixels !== null;
    items.push({
      id,
      group,
      classes: classPixels === null ? null : presentClasses(classPixels),
      split: isKept ? (labelledSplits.find((name) => name === split) ?? null) : null,
    });
  }
  const splits = new Map<string, Split | null>(assignSplits(items, rule.shares, rule.seed));
  for (const { id, isUsable, split } of images) {
    if (isUsable === 0 && split !== null) splits.set(id, null);
  }
  return { groups, splits };
}

function presentClasses(classPixels: readonly number[]): number[] {
  const present: number[] = [];
  for (let index = 0; index < classPixels.length; index++) {
    if ((classPixels[index] ?? 0) > 0) present.push(index);
  }
  return present;
}
