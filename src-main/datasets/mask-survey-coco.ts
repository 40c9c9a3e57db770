import { basename } from 'node:path';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import type { FolderRow } from '../project/images.ts';
import { defaultColor } from './class-colors.ts';
import { drawCocoMask, findCocoImage, readCocoFile, type CocoImage } from './coco.ts';
import { shown } from './file-errors.ts';
import type { TaskControl } from './import-types.ts';
import { keyOf, type Looked, type SeenMask, type SurveyImage } from './mask-survey-types.ts';

/** Only as many are drawn to count their pixels; names and pairs are of all. */
const maxDrawn = 200;

interface SeenEntry extends SeenMask {
  readonly entry: CocoImage;
}

/** Looks at the labels of a COCO file, of the folder of images that most of them fit. */
export async function surveyCoco(
  images: ReadonlyMap<FolderRow, readonly SurveyImage[]>,
  path: string,
  control: TaskControl,
): Promise<Looked> {
  const labels = await readCocoFile(path);
  const candidates = [...images].map(([folder, own]) => ({
    folder,
    pairs: own.map((image) => ({ image, entry: findCocoImage(labels, image.relPath) })),
  }));
  const fits = ({ pairs }: (typeof candidates)[number]) =>
    pairs.filter(({ entry }) => entry !== undefined && entry.shapes.length > 0).length;
  const { folder, pairs } = candidates.reduce((best, other) =>
    fits(other) > fits(best) ? other : best,
  );
  const labelled = pairs.flatMap(({ image, entry }) =>
    entry === undefined || entry.shapes.length === 0 ? [] : [{ image, entry }],
  );
  const problems: { readonly path: string; readonly message: string }[] = [];
  const seen: SeenEntry[] = [];
  const pixels = labels.classNames.map(() => 0);
  const masks = labels.classNames.map(() => 0);
  for (const [done, { image, entry }] of labelled.slice(0, maxDrawn).entries()) {
    throwIfCancelled(control.signal);
    try {
      const counts = countPixels(image, entry, labels.classNames.length);
      counts.forEach((count, i) => {
        pixels[i] = (pixels[i] ?? 0) + count;
        if (count > 0) masks[i] = (masks[i] ?? 0) + 1;
      });
      const keys = counts.flatMap((count, i) => (count > 0 ? [keyOf('coco', i)] : []));
      seen.push({ image, entry, keys: new Set(keys) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.push({ path: image.relPath, message: error.message });
    }
    const total = Math.min(labelled.length, maxDrawn);
    control.onProgress?.({ phase: 'Looking at masks', done: done + 1, total, unit: 'image' });
  }
  const used = new Set(labelled.map(({ entry }) => entry.fileName));
  return {
    folder,
    isCoco: true,
    masks: [...labels.images.values()].filter(({ shapes }) => shapes.length > 0).length,
    matched: labelled.length,
    lookedAt: Math.min(labelled.length, maxDrawn),
    seen,
    values: labels.classNames.map((name, value) => ({
      key: keyOf('coco', value),
      kind: 'coco',
      value,
      name,
      color: defaultColor(value),
      pixels: pixels[value] ?? 0,
      masks: masks[value] ?? 0,
      isSolid: true,
    })),
    scans: [],
    unlabelled: pairs
      .filter(({ image, entry }) => image.isUsable && (entry?.shapes.length ?? 0) === 0)
      .map(({ image }) => image.relPath),
    stray: [...labels.images.values()]
      .filter(({ fileName, shapes }) => shapes.length > 0 && !used.has(fileName))
      .map(({ fileName }) => fileName),
    problems,
    readSample: (mask, size) => {
      const found = seen.find((other) => other === mask);
      return Promise.resolve(found === undefined ? [] : drawSmall(found.entry, size));
    },
  };
}

function countPixels(image: SurveyImage, entry: CocoImage, classes: number): number[] {
  if (entry.widthPx !== image.widthPx || entry.heightPx !== image.heightPx) {
    throw new AppError(
      'masks.other-size',
      `The labels of ${shown(basename(image.relPath))} are for ${entry.widthPx} x ${entry.heightPx} px, but the image is ${image.widthPx} x ${image.heightPx} px.`,
    );
  }
  if (entry.boxesOnly > 0) {
    throw new AppError(
      'masks.boxes-only',
      `${shown(image.relPath)} has ${entry.boxesOnly} labels without an outline (boxes only); it will be left unlabelled.`,
    );
  }
  const counts = new Array<number>(classes).fill(0);
  for (const index of drawCocoMask(entry)) counts[index] = (counts[index] ?? 0) + 1;
  return counts;
}

function drawSmall(
  entry: CocoImage,
  size: { readonly widthPx: number; readonly heightPx: number },
): number[] {
  const mask = drawCocoMask(entry);
  return Array.from({ length: size.widthPx * size.heightPx }, (_, i) => {
    const x = Math.floor((((i % size.widthPx) + 0.5) * entry.widthPx) / size.widthPx);
    const y = Math.floor(((Math.floor(i / size.widthPx) + 0.5) * entry.heightPx) / size.heightPx);
    return keyOf('coco', mask[y * entry.widthPx + x] ?? 0);
  });
}
