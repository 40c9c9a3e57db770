import type { Project } from '../project/project.ts';
import { Random } from '../lib/random.ts';
import { AppError } from '../lib/errors.ts';

/** A labelled training image as the subset sees it. */
export interface LabelledItem {
  readonly id: string;
  /** Classes with at least one pixel in the mask. */
  readonly classes: readonly number[];
}

/**
 * The labelled training images of a share of the labels, 0 < fraction <= 1. The subsets of one seed
 * are nested: 5 % lies in 10 %, and so on. Each holds at least one image of every class.
 * @throws AppError `splits.no-training-images`
 */
export function fractionSubset(project: Project, fraction: number, seed: number): string[] {
  const items = labelledTrainingItems(project);
  if (items.length === 0) {
    throw new AppError(
      'splits.no-training-images',
      'No image with a mask is in the training part. Import masks, or change the split.',
    );
  }
  return nestedSubset(items, fraction, seed);
}

/** All labelled images of the training part, in a stable order. */
export function labelledTrainingItems(project: Project): LabelledItem[] {
  const presence = new Map(
    project.masks
      .list()
      .map(({ imageId, classPixels }) => [
        imageId,
        classPixels.flatMap((pixels, index) => (pixels > 0 ? [index] : [])),
      ]),
  );
  return project.images
    .list({ split: 'train', status: 'usable', hasMask: true })
    .map(({ id }) => ({ id, classes: presence.get(id) ?? [] }));
}

/**
 * The share that gives `images` of `total` labelled images, never more than all of them. Exact: the
 * subset of the share has that many images again, unless more are needed to show every class.
 */
export function fractionOfImages(images: number, total: number): number {
  return total === 0 ? 1 : Math.min(1, images / total);
}

/**
 * A prefix of one fixed order, so that subsets are nested. The order begins with images that
 * together show every class, rarest first; the rest is spread evenly over the combinations of
 * classes that occur, so that every prefix has about the same mix. Depends on the order of `items`.
 */
export function nestedSubset(
  items: readonly LabelledItem[],
  fraction: number,
  seed: number,
): string[] {
  if (!(fraction > 0 && fraction <= 1))
    throw new RangeError(`Fraction ${fraction} is not in (0, 1]`);
  const random = new Random(seed).fork('label fraction');
  const shuffled = random.shuffled(items);
  const spread = spreadOverCombinations(shuffled, random);
  const cover = coveringAllClasses(spread);
  const covered = new Set(cover);
  const order = [...cover, ...spread.filter((item) => !covered.has(item))];
  const count = Math.max(1, cover.length, Math.round(fraction * order.length));
  return order.slice(0, count).map(({ id }) => id);
}

/** Images of one combination of classes stand at equal distances in the order. */
function spreadOverCombinations(items: readonly LabelledItem[], random: Random): LabelledItem[] {
  const combinations = new Map<string, LabelledItem[]>();
  for (const item of items) {
    const key = [...item.classes].sort((a, b) => a - b).join();
    const same = combinations.get(key);
    if (same === undefined) combinations.set(key, [item]);
    else same.push(item);
  }
  return [...combinations.values()]
    .flatMap((same) => {
      const start = random.uniform();
      return same.map((item, i) => ({ item, place: (i + start) / same.length }));
    })
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** The first images in the order that add a class not yet seen, rarest class first. */
function coveringAllClasses(order: readonly LabelledItem[]): LabelledItem[] {
  const counts = new Map<number, number>();
  for (const { classes } of order) {
    for (const index of classes) counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const rarestFirst = [...counts].sort(([a, x], [b, y]) => x - y || a - b).map(([index]) => index);
  const seen = new Set<number>();
  const cover: LabelledItem[] = [];
  for (const index of rarestFirst) {
    if (seen.has(index)) continue;
    const item = order.find(({ classes }) => classes.includes(index));
    if (item === undefined) continue;
    cover.push(item);
    for (const present of item.classes) seen.add(present);
  }
  return cover;
}
