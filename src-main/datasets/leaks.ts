import { shown } from './file-errors.ts';
import type { Split } from './import-types.ts';

/** What leaks are found by; images that were set aside are left out. */
export interface LeakImage {
  readonly id: string;
  readonly relPath: string;
  readonly split: Split | null;
  readonly groupKey: string | null;
  readonly duplicateOf: string | null;
}

/** Something that is in two parts of the split, so that scores look better than they are. */
export interface Leak {
  readonly type: 'group' | 'duplicate';
  /** The group, or the file of the duplicate. */
  readonly path: string;
  readonly splits: readonly string[];
  readonly message: string;
}

/** How many of the images that scores are measured on have a relative among those learned from. */
export interface LeakScore {
  readonly leaking: number;
  readonly heldOut: number;
}

/**
 * Groups that were split and identical files in different parts. `unlabelled` images count as
 * training, because pre-training sees them.
 */
export function findLeaks(images: Iterable<LeakImage>): Leak[] {
  const groups = new Map<string, Set<string>>();
  const duplicates: { readonly relPath: string; readonly split: string; readonly of: string }[] =
    [];
  const splitOf = new Map<string, string>();
  for (const { id, relPath, split, groupKey, duplicateOf } of images) {
    if (split === null) continue;
    const part = learnedFrom(split) ? 'train' : split;
    splitOf.set(id, part);
    if (duplicateOf !== null) duplicates.push({ relPath, split: part, of: duplicateOf });
    if (groupKey === null) continue;
    const parts = groups.get(groupKey);
    if (parts === undefined) groups.set(groupKey, new Set([part]));
    else parts.add(part);
  }
  return [
    ...[...groups].flatMap(([group, parts]) => (parts.size > 1 ? [groupLeak(group, parts)] : [])),
    ...duplicates.flatMap(({ relPath, split, of }) => {
      const other = splitOf.get(of);
      return other === undefined || other === split ? [] : [duplicateLeak(relPath, split, other)];
    }),
  ];
}

/** Groups and parts in place of the stored ones, in the order of the images. */
export interface Planned {
  readonly groups?: readonly (string | null)[];
  readonly splits?: readonly (Split | null)[];
}

/**
 * Counts the held-out images that share a group, or their bytes, with an image learned from; as they
 * are stored, or as they are planned.
 */
export function leakScore(images: readonly LeakImage[], planned: Planned = {}): LeakScore {
  const groups = planned.groups ?? images.map(({ groupKey }) => groupKey);
  const splits = planned.splits ?? images.map(({ split }) => split);
  const originals = new Set(images.map(({ duplicateOf }) => duplicateOf));
  const learnedGroups = new Set<string>();
  const learnedFiles = new Set<string>();
  for (const [i, { id, duplicateOf }] of images.entries()) {
    const split = splits[i] ?? null;
    if (split === null || !learnedFrom(split)) continue;
    const group = groups[i] ?? null;
    if (group !== null) learnedGroups.add(group);
    if (duplicateOf !== null) learnedFiles.add(duplicateOf);
    else if (originals.has(id)) learnedFiles.add(id);
  }
  let leaking = 0;
  let heldOut = 0;
  for (const [i, { id, duplicateOf }] of images.entries()) {
    const split = splits[i] ?? null;
    if (split === null || learnedFrom(split)) continue;
    heldOut++;
    const group = groups[i] ?? null;
    const isRelative = group !== null && learnedGroups.has(group);
    if (isRelative || learnedFiles.has(duplicateOf ?? id)) leaking++;
  }
  return { leaking, heldOut };
}

function learnedFrom(split: Split): boolean {
  return split === 'train' || split === 'unlabelled';
}

function groupLeak(group: string, parts: ReadonlySet<string>): Leak {
  const splits = [...parts].sort();
  return {
    type: 'group',
    path: group,
    splits,
    message: `The group "${shown(group)}" is in ${splits.join(' and ')}; scores may look better than they are. Put it wholly into one part.`,
  };
}

function duplicateLeak(relPath: string, split: string, other: string): Leak {
  return {
    type: 'duplicate',
    path: relPath,
    splits: [split, other],
    message: `${shown(relPath)} is in ${split}, and the same file is in ${other}; scores may look better than they are.`,
  };
}
