import { Random } from '../lib/random.ts';

export const labelledSplits = ['train', 'val', 'test'] as const;
export type LabelledSplit = (typeof labelledSplits)[number];
export type SplitShares = Readonly<Record<LabelledSplit, number>>;

/** An image as the splitter sees it. */
export interface SplitItem {
  readonly id: string;
  /** Images of one group stay together; null is a group of its own. */
  readonly group: string | null;
  /** Classes with at least one pixel in the mask; null without a mask. */
  readonly classes: readonly number[] | null;
  /** An earlier decision, which stays. */
  readonly split: LabelledSplit | null;
}

export const defaultShares: SplitShares = { train: 0.7, val: 0.15, test: 0.15 };

/**
 * Puts labelled groups into train, val and test. Every group goes where its rarest class is missing
 * most (after Sechidis et al. 2011, iterative stratification, on whole groups), larger groups and
 * rarer classes first; ties are broken by the seed and the order of `items`. Images without mask are `unlabelled`,
 * unless their group is in val or test: then they are used for nothing (null).
 */
export function assignSplits(
  items: readonly SplitItem[],
  shares: SplitShares,
  seed: number,
): Map<string, LabelledSplit | 'unlabelled' | null> {
  const groups = collectGroups(items);
  const labelled = groups.filter((group) => group.images > 0);
  const need = startingNeed(labelled, shares);
  for (const group of labelled) if (group.split !== null) take(need, group, group.split);
  for (const group of inOrder(labelled, seed)) {
    group.split ??= neediest(need, group);
    take(need, group, group.split);
  }
  const result = new Map<string, LabelledSplit | 'unlabelled' | null>();
  for (const { members, split } of groups) {
    const isHeldOut = split === 'val' || split === 'test';
    for (const { id, classes } of members) {
      result.set(id, classes !== null ? split : isHeldOut ? null : 'unlabelled');
    }
  }
  return result;
}

interface Group {
  readonly members: readonly SplitItem[];
  /** Labelled images. */
  readonly images: number;
  /** Labelled images by class. */
  readonly classes: ReadonlyMap<number, number>;
  split: LabelledSplit | null;
}

/** Images still wanted, in all and by class. */
interface Need {
  readonly images: Map<LabelledSplit, number>;
  readonly classes: Map<number, Map<LabelledSplit, number>>;
  readonly totals: ReadonlyMap<number, number>;
}

function collectGroups(items: readonly SplitItem[]): Group[] {
  const byKey = new Map<string, SplitItem[]>();
  for (const item of items) {
    const key = item.group === null ? `image ${item.id}` : `group ${item.group}`;
    const members = byKey.get(key);
    if (members === undefined) byKey.set(key, [item]);
    else members.push(item);
  }
  return [...byKey.values()].map((members) => {
    const classes = new Map<number, number>();
    const labelled = members.filter((item) => item.classes !== null);
    for (const item of labelled) {
      for (const index of item.classes ?? []) classes.set(index, (classes.get(index) ?? 0) + 1);
    }
    const split = members.find((item) => item.split !== null)?.split ?? null;
    return { members, images: labelled.length, classes, split };
  });
}

function imagesByClass(groups: readonly Group[]): Map<number, number> {
  const totals = new Map<number, number>();
  for (const { classes } of groups) {
    for (const [index, count] of classes) totals.set(index, (totals.get(index) ?? 0) + count);
  }
  return totals;
}

function startingNeed(groups: readonly Group[], shares: SplitShares): Need {
  const totals = imagesByClass(groups);
  const totalImages = groups.reduce((sum, { images }) => sum + images, 0);
  const wanted = (total: number) =>
    new Map(labelledSplits.map((split) => [split, total * shares[split]]));
  return {
    images: wanted(totalImages),
    classes: new Map([...totals].map(([index, total]) => [index, wanted(total)])),
    totals,
  };
}

function take(need: Need, group: Group, split: LabelledSplit): void {
  need.images.set(split, (need.images.get(split) ?? 0) - group.images);
  for (const [index, count] of group.classes) {
    const wanted = need.classes.get(index);
    wanted?.set(split, (wanted.get(split) ?? 0) - count);
  }
}

/** Undecided groups: the largest first, then those with the rarest class, then by chance. */
function inOrder(groups: readonly Group[], seed: number): Group[] {
  const totals = imagesByClass(groups);
  const rarest = (group: Group) =>
    Math.min(...[...group.classes.keys()].map((index) => totals.get(index) ?? 0));
  return new Random(seed)
    .fork('splits')
    .shuffled(groups.filter(({ split }) => split === null))
    .sort((a, b) => b.images - a.images || rarest(a) - rarest(b));
}

/** The part that lacks most images of the group's rarest class; then most images at all. */
function neediest(need: Need, group: Group): LabelledSplit {
  const [rarest] = [...group.classes.keys()].sort(
    (a, b) => (need.totals.get(a) ?? 0) - (need.totals.get(b) ?? 0) || a - b,
  );
  const wanted = rarest === undefined ? need.images : (need.classes.get(rarest) ?? need.images);
  const lack = (split: LabelledSplit) => wanted.get(split) ?? 0;
  const lackAtAll = (split: LabelledSplit) => need.images.get(split) ?? 0;
  return labelledSplits.reduce((best, split) =>
    lack(split) > lack(best) || (lack(split) === lack(best) && lackAtAll(split) > lackAtAll(best))
      ? split
      : best,
  );
}
