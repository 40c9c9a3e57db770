import type { GroupChoices, Grouping, SplitInput, SplitPreview } from '../contract/import.ts';
import { groupFunction } from '../datasets/groups.ts';
import type { GroupBy } from '../datasets/import-types.ts';
import { leakScore } from '../datasets/leaks.ts';
import {
  partsOf,
  patternOfPieces,
  pieceStatistics,
  suggestPiece,
} from '../datasets/name-pieces.ts';
import { planSplit, type SplitPlan } from '../datasets/split-plan.ts';
import { defaultShares } from '../datasets/splits.ts';
import type { SplitChoice } from '../datasets/stored-settings.ts';
import { assertNever, AppError } from '../lib/errors.ts';
import type { ImageOutline } from '../project/image-outlines.ts';

/** Pieces of names are counted over this many of them, spread over the list. */
const maxNames = 20_000;
const shownNames = 6;
const shownGroups = 12;

/** How a choice of the window is stored and done; null keeps the groups as they are. */
export function groupByOf(grouping: Grouping): GroupBy | null {
  switch (grouping.type) {
    case 'kept':
      return null;
    case 'none':
    case 'folder':
    case 'pattern':
      return grouping;
    case 'pieces':
      return { type: 'pattern', pattern: patternOfPieces(grouping) };
    default:
      return assertNever(grouping);
  }
}

/** @throws AppError `splits.bad-shares` */
export function requireWholeShares({ train, val, test }: SplitInput['shares']): void {
  if (Math.abs(train + val + test - 1) < 1e-6 && train > 0) return;
  throw new AppError(
    'splits.bad-shares',
    'The three shares must add up to 100 %, with something left to learn from.',
  );
}

/** What the images would be divided into; nothing is stored. */
export function previewSplit(images: readonly ImageOutline[], input: SplitInput): SplitPreview {
  requireWholeShares(input.shares);
  const groupBy = groupByOf(input.grouping);
  const groupOf = groupBy === null ? undefined : groupFunction(groupBy);
  const { shares, seed } = input;
  const plan = planSplit(images, { groupOf, shares, seed, keepsEarlier: false });
  return {
    ...countParts(images, plan),
    ...describeGroups(images, plan),
    leaks: leakScore(images, plan),
    leaksNow: leakScore(images, { groups: plan.groups }),
  };
}

function countParts(
  images: readonly ImageOutline[],
  plan: SplitPlan,
): Pick<SplitPreview, 'images' | 'labelled' | 'splits' | 'unlabelled' | 'unused'> {
  const splits = { train: 0, val: 0, test: 0 };
  let usable = 0;
  let unlabelled = 0;
  let unused = 0;
  for (const [i, { isUsable }] of images.entries()) {
    if (isUsable === 0) continue;
    usable++;
    const split = plan.splits[i] ?? null;
    if (split === null) unused++;
    else if (split === 'unlabelled') unlabelled++;
    else splits[split]++;
  }
  const labelled = splits.train + splits.val + splits.test;
  return { images: usable, labelled, splits, unlabelled, unused };
}

function describeGroups(
  images: readonly ImageOutline[],
  plan: SplitPlan,
): Pick<SplitPreview, 'groups' | 'alone' | 'largest' | 'examples'> {
  const groups = new Map<string, number[]>();
  let alone = 0;
  for (const [i, { isUsable }] of images.entries()) {
    if (isUsable === 0) continue;
    const group = plan.groups[i] ?? null;
    if (group === null) alone++;
    else {
      const members = groups.get(group);
      if (members === undefined) groups.set(group, [i]);
      else members.push(i);
    }
  }
  const bySize = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const [largest] = bySize;
  return {
    groups: groups.size,
    alone,
    largest: largest === undefined ? null : { name: largest[0], images: largest[1].length },
    examples: bySize.slice(0, shownGroups).map(([group, members]) => ({
      group,
      images: members.length,
      part: members.map((i) => plan.splits[i] ?? null).find((split) => split !== null) ?? null,
      names: members.slice(0, 3).map((i) => images[i]?.relPath ?? ''),
    })),
  };
}

/** What the names offer to group by, and what is in force. */
export function groupChoices(
  images: readonly ImageOutline[],
  choice: SplitChoice | undefined,
  hasModels: boolean,
): GroupChoices {
  const step = Math.max(1, images.length / maxNames);
  const names: string[] = [];
  for (let i = 0; i < images.length; i += step) {
    const image = images[Math.floor(i)];
    if (image !== undefined) names.push(image.relPath);
  }
  const pieces = pieceStatistics(names);
  const suggested = suggestPiece(pieces, names.length);
  return {
    current: {
      grouping: storedGrouping(choice, images),
      shares: choice?.shares ?? defaultShares,
      seed: choice?.seed ?? 0,
    },
    source: choice?.source ?? null,
    hasModels,
    pieces: pieces.map((piece) => ({ ...piece, examples: [...piece.examples] })),
    suggested: suggested === null ? null : { type: 'pieces', ...suggested },
    names: spreadNames(names),
  };
}

function storedGrouping(
  choice: SplitChoice | undefined,
  images: readonly ImageOutline[],
): Grouping {
  const groupBy = choice?.groupBy ?? null;
  if (groupBy === null) {
    return { type: images.some(({ groupKey }) => groupKey !== null) ? 'kept' : 'none' };
  }
  return groupBy.type === 'pattern' ? (piecesOf(groupBy.pattern) ?? groupBy) : groupBy;
}

/** The pieces that a stored pattern was made of, if it was. */
function piecesOf(pattern: string): Grouping | undefined {
  for (const where of ['folder', 'name'] as const) {
    for (let from = 0; from < 8; from++) {
      for (let to = from; to < 8; to++) {
        if (patternOfPieces({ where, from, to }) === pattern) {
          return { type: 'pieces', where, from, to };
        }
      }
    }
  }
  return undefined;
}

/** Some names spread over the list; first those that have most in common with the others. */
function spreadNames(names: readonly string[]): GroupChoices['names'] {
  const step = Math.max(1, (names.length - 1) / (shownNames - 1));
  const picked = Array.from({ length: shownNames }, (_, i) => names[Math.round(i * step)]);
  const cut = [...new Set(picked.filter((name) => name !== undefined))].map((path) => ({
    path,
    parts: partsOf(path),
  }));
  const seen = new Map<string, number>();
  const keysOf = ({ parts }: GroupChoices['names'][number]) =>
    parts.map(({ text, where, position }) => `${where} ${position} ${text}`);
  for (const key of cut.flatMap(keysOf)) seen.set(key, (seen.get(key) ?? 0) + 1);
  const shared = (name: GroupChoices['names'][number]) =>
    keysOf(name).reduce((sum, key) => sum + (seen.get(key) ?? 0) - 1, 0);
  return cut.sort((a, b) => shared(b) - shared(a));
}
