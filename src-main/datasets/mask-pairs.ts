import { kindOfName } from './file-kind.ts';

/** Which mask belongs to which image, by their names alone. */
export interface MaskPairs<T> {
  readonly pairs: readonly { readonly image: T; readonly maskPath: string }[];
  /** Images that several masks claim; none of them is used. */
  readonly ambiguous: readonly { readonly image: T; readonly maskPaths: readonly string[] }[];
  /** Images without a mask. */
  readonly unlabelled: readonly T[];
  /** Masks of no image. */
  readonly stray: readonly string[];
}

/**
 * `a/b.png` belongs to `a/b.jpg`; so do `a/b.jpg.png` and `a/b_mask.png`. `isMixed`: the masks lie
 * among the images and are known by their ending.
 */
export function pairMasks<T extends { readonly relPath: string }>(
  images: Iterable<T>,
  maskPaths: readonly string[],
  isMixed: boolean,
): MaskPairs<T> {
  const masks = Map.groupBy(
    maskPaths.filter((path) => kindOfName(path).type === 'image' && (!isMixed || isMaskName(path))),
    maskStem,
  );
  const pairs: { readonly image: T; readonly maskPath: string }[] = [];
  const ambiguous: { readonly image: T; readonly maskPaths: readonly string[] }[] = [];
  const unlabelled: T[] = [];
  const used = new Set<string>();
  for (const image of images) {
    const candidates = masks.get(image.relPath) ?? masks.get(stem(image.relPath)) ?? [];
    const [maskPath] = candidates;
    for (const candidate of candidates) used.add(candidate);
    if (maskPath === undefined) unlabelled.push(image);
    else if (candidates.length === 1) pairs.push({ image, maskPath });
    else ambiguous.push({ image, maskPaths: candidates });
  }
  const stray = [...masks.values()].flat().filter((path) => !used.has(path));
  return { pairs, ambiguous, unlabelled, stray };
}

/** True for `a_mask.png` and the like: the masks, where they lie among the images. */
export function isMaskName(relPath: string): boolean {
  return maskSuffix.test(stem(relPath));
}

/** The files whose name says that they are the mask of another file in the list. */
export function masksAmong(relPaths: readonly string[]): ReadonlySet<string> {
  const stems = new Set(relPaths.filter((path) => !isMaskName(path)).map(stem));
  return new Set(relPaths.filter((path) => isMaskName(path) && stems.has(maskStem(path))));
}

function stem(relPath: string): string {
  return relPath.replace(/\.[^./]+$/, '');
}

function maskStem(relPath: string): string {
  return stem(relPath).replace(maskSuffix, '');
}

const maskSuffix = /[_-](mask|masks|label|labels|gt|seg)$/i;
