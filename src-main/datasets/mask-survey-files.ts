import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { forEachParallel } from '../lib/parallel.ts';
import type { FolderRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import { toHex } from './class-colors.ts';
import { shown } from './file-errors.ts';
import { maskDetailsSchema } from './import-masks.ts';
import type { TaskControl } from './import-types.ts';
import { pairMasks, type MaskPairs } from './mask-pairs.ts';
import { openMask, type MaskKind, type MaskReader } from './mask-pixels.ts';
import { maxMaskValues, scanMask, type MaskScan } from './mask-scan.ts';
import {
  keyOf,
  type Looked,
  type SeenMask,
  type SurveyImage,
  type ValueKey,
} from './mask-survey-types.ts';
import { walkFolder } from './walk.ts';

/** More masks are not opened; they are spread evenly over the folder. */
const maxLookedAt = 1500;
const bandPixels = 16e6;

interface SeenFile extends SeenMask {
  readonly path: string;
}

/** Looks at the masks of a folder, of the folder of images that most of them fit. */
export async function surveyFiles(
  project: Project,
  images: ReadonlyMap<FolderRow, readonly SurveyImage[]>,
  masksPath: string,
  control: TaskControl,
): Promise<Looked> {
  const { files } = await walkFolder(masksPath, { signal: control.signal });
  const relPaths = files.map(({ relPath }) => relPath);
  const { folder, pairs } = bestFolder(images, relPaths, masksPath);
  const problems = pairs.ambiguous.map(({ image, maskPaths }) => ({
    path: image.relPath,
    message: `${shown(image.relPath)} has several masks (${maskPaths.map(shown).join(', ')}); none is used. Leave one.`,
  }));
  const sampled = spread(pairs.pairs, maxLookedAt);
  const found: { readonly seen: SeenFile; readonly scan: MaskScan }[] = [];
  let done = 0;
  await forEachParallel(
    sampled,
    availableParallelism(),
    async ({ image, maskPath }) => {
      const path = join(masksPath, maskPath);
      const name = `${basename(masksPath)}/${maskPath}`;
      try {
        const scan = await scanFitting(path, name, image);
        const keys = new Set(scan.values.map(({ value }) => keyOf(scan.kind, value)));
        found.push({ seen: { image, keys, path }, scan });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problems.push({ path: name, message: error.message.replace(shown(path), shown(name)) });
      }
      done++;
      control.onProgress?.({
        phase: 'Looking at masks',
        done,
        total: sampled.length,
        unit: 'file',
      });
    },
    control.signal,
  );
  throwIfCancelled(control.signal);
  found.sort((a, b) => (a.seen.path < b.seen.path ? -1 : 1));
  problems.sort((a, b) => (a.path < b.path ? -1 : 1));
  const scans = [...found.map(({ scan }) => scan), ...scansOfOtherFolders(project, folder)];
  return {
    folder,
    isCoco: false,
    masks: pairs.pairs.length + pairs.stray.length + pairs.ambiguous.length,
    matched: pairs.pairs.length,
    lookedAt: sampled.length,
    seen: found.map(({ seen }) => seen),
    values: valuesOf(scans),
    scans,
    unlabelled: pairs.unlabelled.filter(({ isUsable }) => isUsable).map(({ relPath }) => relPath),
    stray: pairs.stray,
    problems,
    readSample: async (seen, size) => {
      const entry = found.find((other) => other.seen === seen);
      return entry === undefined ? [] : readSmall(await openMask(entry.seen.path), size);
    },
  };
}

function bestFolder(
  images: ReadonlyMap<FolderRow, readonly SurveyImage[]>,
  relPaths: readonly string[],
  masksPath: string,
): { readonly folder: FolderRow; readonly pairs: MaskPairs<SurveyImage> } {
  const candidates = [...images].map(([folder, own]) => ({
    folder,
    pairs: pairMasks(own, relPaths, folder.path === masksPath),
  }));
  return candidates.reduce((best, other) =>
    other.pairs.pairs.length > best.pairs.pairs.length ? other : best,
  );
}

function spread<T>(items: readonly T[], limit: number): readonly T[] {
  if (items.length <= limit) return items;
  const step = items.length / limit;
  let next = 0;
  return items.filter((_, i) => {
    const isTaken = i >= next;
    if (isTaken) next += step;
    return isTaken;
  });
}

async function scanFitting(path: string, name: string, image: SurveyImage): Promise<MaskScan> {
  const scan = await scanMask(await openMask(path));
  if (scan.widthPx !== image.widthPx || scan.heightPx !== image.heightPx) {
    throw new AppError(
      'masks.other-size',
      `The mask ${shown(name)} is ${scan.widthPx} x ${scan.heightPx} px, but its image is ` +
        `${image.widthPx} x ${image.heightPx} px. Export it at the size of the image.`,
    );
  }
  if (scan.values.length <= maxMaskValues) return scan;
  throw new AppError(
    'masks.too-many-values',
    `${shown(name)} holds over ${maxMaskValues} different values; it is a photograph or its edges are soft. Save masks as PNG without smoothing.`,
  );
}

/** What values mean is settled for all masks of a project together. */
function scansOfOtherFolders(project: Project, folder: FolderRow): MaskScan[] {
  return project.masks.list().flatMap(({ imageId, details }) => {
    if (project.images.get(imageId)?.folderId === folder.id) return [];
    const known = v.safeParse(maskDetailsSchema, details);
    return known.success ? [known.output.scan] : [];
  });
}

function valuesOf(scans: readonly MaskScan[]): Looked['values'] {
  const values = new Map<ValueKey, Looked['values'][number]>();
  for (const { kind, values: own } of scans) {
    for (const { value, pixels, solid, color } of own) {
      const key = keyOf(kind, value);
      const known = values.get(key);
      values.set(key, {
        key,
        kind,
        value,
        name: valueName(kind, value),
        color: toHex(color),
        pixels: pixels + (known?.pixels ?? 0),
        masks: 1 + (known?.masks ?? 0),
        isSolid: solid || known?.isSolid === true,
      });
    }
  }
  return [...values.values()].sort((a, b) => a.key - b.key);
}

function valueName(kind: MaskKind, value: number): string {
  return kind === 'rgb' ? toHex(value) : String(value);
}

/** The nearest pixel of each, band by band as the file is stored. */
async function readSmall(
  reader: MaskReader,
  size: { readonly widthPx: number; readonly heightPx: number },
): Promise<ValueKey[]> {
  const { kind, widthPx, heightPx } = reader;
  const small = new Array<ValueKey>(size.widthPx * size.heightPx).fill(0);
  const rowsPerBand = Math.max(1, Math.floor(bandPixels / widthPx));
  const sourceOf = (i: number, from: number, to: number) => Math.floor(((i + 0.5) * from) / to);
  for (let topPx = 0; topPx < heightPx; topPx += rowsPerBand) {
    const rows = Math.min(rowsPerBand, heightPx - topPx);
    const values = await reader.readRows(topPx, rows);
    for (let y = 0; y < size.heightPx; y++) {
      const row = sourceOf(y, heightPx, size.heightPx) - topPx;
      if (row < 0 || row >= rows) continue;
      for (let x = 0; x < size.widthPx; x++) {
        const value = values[row * widthPx + sourceOf(x, widthPx, size.widthPx)] ?? 0;
        small[y * size.widthPx + x] = keyOf(kind, value);
      }
    }
  }
  return small;
}
