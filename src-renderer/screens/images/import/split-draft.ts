import type { GroupChoices, Grouping, SplitInput } from '../../../../src-main/contract/import.ts';

type Part = GroupChoices['names'][number]['parts'][number];

/** What the user begins with: what is in force, or what the names suggest when nothing was chosen. */
export function firstInput({ current, source, suggested }: GroupChoices): SplitInput {
  const isOpen = source !== 'chosen' && current.grouping.type === 'none' && suggested !== null;
  return isOpen ? { ...current, grouping: suggested } : current;
}

export function isSelected(grouping: Grouping, part: Part): boolean {
  return (
    grouping.type === 'pieces' &&
    part.where === grouping.where &&
    part.position >= grouping.from &&
    part.position <= grouping.to
  );
}

/**
 * The grouping after a click on a piece: a neighbor of the chosen ones joins them, an outer one of
 * them leaves, any other is chosen alone.
 */
export function clicked(grouping: Grouping, part: Part): Grouping {
  const { where, position } = part;
  if (where === null) return grouping;
  const alone = { type: 'pieces', where, from: position, to: position } as const;
  if (grouping.type !== 'pieces' || grouping.where !== where) return alone;
  const { from, to } = grouping;
  if (position === from - 1) return { ...grouping, from: position };
  if (position === to + 1) return { ...grouping, to: position };
  if (from === to) return alone;
  if (position === from) return { ...grouping, from: from + 1 };
  if (position === to) return { ...grouping, to: to - 1 };
  return alone;
}

/** Shares that leave the rest to learn from, in whole percent and never less than 5 % of it. */
export function withShare(
  shares: SplitInput['shares'],
  name: 'val' | 'test',
  percent: number,
): SplitInput['shares'] {
  const other = Math.round(shares[name === 'val' ? 'test' : 'val'] * 100);
  const own = Math.min(percent, 95 - other);
  const both = name === 'val' ? { val: own, test: other } : { val: other, test: own };
  return {
    train: (100 - own - other) / 100,
    val: both.val / 100,
    test: both.test / 100,
  };
}

export function isSameInput(a: SplitInput, b: SplitInput): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered({ grouping, shares, seed }: SplitInput): unknown {
  const entries = Object.entries(grouping).sort(([x], [y]) => (x < y ? -1 : 1));
  return [entries, shares.train, shares.val, shares.test, seed];
}
