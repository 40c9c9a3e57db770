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

/** The part of an image; null is used for nothing. */
export type Part = LabelledSplit | 'unlabelled' | null;

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
): Map<string, Part> {
  const parts = assignParts(items, shares, seed);
  return new Map(items.map(({ id }, i) => [id, parts[i] ?? null]));
}

/** As `assignSplits`; the part of each item, in their order. Quick enough for 100,000 at each key. */
export function assignParts(
  items: readonly SplitItem[],
  shares: SplitShares,
  seed: number,
): Part[] {
  const groups = collectGroups(items);
  const labelled = groups.filter((group) => group.images > 0);
  const need = startingNeed(labelled, shares);
  for (const group of labelled) {
    findRarest(group, need);
    if (group.split !== null) take(need, group, group.split);
  }
  for (const group of inOrder(labelled, seed)) {
    group.split = neediest(need, group);
    take(need, group, group.split);
  }
  const result = new Array<Part>(items.length).fill(null);
  for (const { members, split } of groups) {
    const isHeldOut = split === 'val' || split === 'test';
    for (const member of members) {
      const isLabelled = items[member]?.classes !== null;
      result[member] = isLabelled ? split : isHeldOut ? null : 'unlabelled';
    }
  }
  return result;
}

interface Group {
  /** Places in the list of items. */
  readonly members: number[];
  /** Labelled images. */
  images: number;
  /** Labelled images by class; none of that class is 0 or a hole. */
  readonly classes: number[];
  split: LabelledSplit | null;
  rarest: number | undefined;
  /** Images that have the rarest class, of all groups. */
  rarestTotal: number;
}

type Wanted = Record<LabelledSplit, number>;

/** Images still wanted, in all and by class. */
interface Need {
  readonly images: Wanted;
  readonly classes: readonly Wanted[];
  readonly totals: readonly number[];
}

function collectGroups(items: readonly SplitItem[]): Group[] {
  const byName = new Map<string, Group>();
  const groups: Group[] = [];
  for (const [place, { group: name, classes, split }] of items.entries()) {
    let group = name === null ? undefined : byName.get(name);
    if (group === undefined) {
      group = {
        members: [],
        images: 0,
        classes: [],
        split: null,
        rarest: undefined,
        rarestTotal: Infinity,
      };
      groups.push(group);
      if (name !== null) byName.set(name, group);
    }
    group.members.push(place);
    group.split ??= split;
    if (classes === null) continue;
    group.images++;
    for (const index of classes) group.classes[index] = (group.classes[index] ?? 0) + 1;
  }
  return groups;
}

function startingNeed(groups: readonly Group[], shares: SplitShares): Need {
  const totals: number[] = [];
  for (const { classes } of groups) {
    for (let index = 0; index < classes.length; index++) {
      totals[index] = (totals[index] ?? 0) + (classes[index] ?? 0);
    }
  }
  const totalImages = groups.reduce((sum, { images }) => sum + images, 0);
  const wanted = (total: number): Wanted => ({
    train: total * shares.train,
    val: total * shares.val,
    test: total * shares.test,
  });
  return {
    images: wanted(totalImages),
    classes: totals.map(wanted),
    totals,
  };
}

/** Of its classes the one that fewest images have; of several the first. */
function findRarest(group: Group, { totals }: Need): void {
  for (let index = 0; index < group.classes.length; index++) {
    if ((group.classes[index] ?? 0) === 0) continue;
    const total = totals[index] ?? 0;
    if (total >= group.rarestTotal) continue;
    group.rarest = index;
    group.rarestTotal = total;
  }
}

function take(need: Need, group: Group, split: LabelledSplit): void {
  need.images[split] -= group.images;
  for (let index = 0; index < group.classes.length; index++) {
    const wanted = need.classes[index];
    if (wanted !== undefined) wanted[split] -= group.classes[index] ?? 0;
  }
}

/** Undecided groups: the largest first, then those with the rarest class, then by chance. */
function inOrder(groups: readonly Group[], seed: number): Group[] {
  return new Random(seed)
    .fork('splits')
    .shuffled(groups.filter(({ split }) => split === null))
    .sort((a, b) => b.images - a.images || compare(a.rarestTotal, b.rarestTotal));
}

/** Without subtraction, which is not a number for two infinities. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The part that lacks most images of the group's rarest class; then most images at all. */
function neediest(need: Need, { rarest }: Group): LabelledSplit {
  const wanted = rarest === undefined ? need.images : (need.classes[rarest] ?? need.images);
  return labelledSplits.reduce((best, split) =>
    wanted[split] > wanted[best] ||
    (wanted[split] === wanted[best] && need.images[split] > need.images[best])
      ? split
      : best,
  );
}
