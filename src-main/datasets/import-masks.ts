import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { basename } from 'node:path/posix';
import * as v from 'valibot';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { forEachParallel } from '../lib/parallel.ts';
import type { FolderRow, ImageRow } from '../project/images.ts';
import type { MaskRow } from '../project/masks.ts';
import type { Project } from '../project/project.ts';
import type { ClassesFile } from './data-folder.ts';
import { fileError, shown } from './file-errors.ts';
import { eachImage } from './import-pictures.ts';
import type { ImportProblem, MaskFormat, TaskControl } from './import-types.ts';
import { chosenMapping, requireKeptClasses, type MaskChoice } from './mask-choice.ts';
import {
  countClasses,
  declaredMapping,
  proposedMapping,
  type MaskMapping,
} from './mask-mapping.ts';
import { pairMasks } from './mask-pairs.ts';
import { openMask } from './mask-pixels.ts';
import { maskScanSchema, scanMask, type MaskScan } from './mask-scan.ts';
import { readMaskMapping, writeMaskMapping } from './stored-settings.ts';
import { walkFolder } from './walk.ts';

export interface MaskTask {
  readonly project: Project;
  readonly folder: FolderRow;
  /** Absolute path of the folder with mask files. */
  readonly masksPath: string;
  readonly format: MaskFormat | undefined;
  readonly classes: ClassesFile | undefined;
  /** What the user decided; it comes before everything else. */
  readonly choice: MaskChoice | undefined;
  readonly problems: ImportProblem[];
  /** About all images together. */
  readonly generalProblems: ImportProblem[];
  readonly control: TaskControl;
}

/** What a stored mask row remembers of its file, so that an unchanged file is not read again. */
export const maskDetailsSchema = v.object({
  bytes: v.number(),
  modifiedMs: v.number(),
  scan: maskScanSchema,
});

/**
 * Finds the mask of each image of a folder, looks at all of them, settles what their values mean and
 * stores the accepted ones. @returns how many were accepted
 */
export async function importMaskFiles(task: MaskTask): Promise<number> {
  const { project, control } = task;
  const { files, problems: walkProblems } = await walkFolder(task.masksPath, {
    signal: control.signal,
  });
  for (const { path, code, message } of walkProblems) {
    report(task, nameOf(task, path), { code: asMaskCode(code), message });
  }
  const pairs = pairUp(
    task,
    files.map(({ relPath }) => relPath),
  );
  const found: ScannedMask[] = [];
  let done = 0;
  await forEachParallel(
    pairs,
    availableParallelism(),
    async (pair) => {
      const scanned = await scanPair(task, pair);
      if (scanned !== undefined) found.push(scanned);
      done++;
      control.onProgress?.({ phase: 'Reading masks', done, total: pairs.length, unit: 'file' });
    },
    control.signal,
  );
  throwIfCancelled(control.signal);
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = [...found, ...masksOfOtherFolders(project, found)];
  const scans = all.map(({ scan }) => scan);
  const mapping = settleMapping(task, scans);
  writeMaskMapping(project, mapping);
  return storeMasks(task, all, mapping);
}

/** Masks carry codes of their own, so that they are told apart from their images. */
export function asMaskCode(code: string): string {
  return code.replace(/^images\./, 'masks.');
}

interface Pair {
  readonly image: ImageRow;
  /** Below the masks folder. */
  readonly relPath: string;
}

interface ScannedMask {
  readonly imageId: string;
  /** What sentences call it. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly scan: MaskScan;
}

/** A mask in sentences and in the list of problems: with the name of its folder. */
function nameOf(task: MaskTask, relPath: string): string {
  return `${basename(task.masksPath)}/${relPath}`;
}

/** Pairs by name, with a sentence about every file that is left out. */
function pairUp(task: MaskTask, maskPaths: readonly string[]): Pair[] {
  const painted = paintedImages(task.project);
  const images = [...eachImage(task.project)].filter(
    ({ folderId, status }) => folderId === task.folder.id && status !== 'skipped',
  );
  const found = pairMasks(images, maskPaths, task.masksPath === task.folder.path);
  for (const { image, maskPaths: candidates } of found.ambiguous) {
    report(task, image.relPath, {
      code: 'masks.ambiguous',
      message: `${shown(image.relPath)} has several masks (${candidates.map(shown).join(', ')}); none is used. Leave one.`,
    });
  }
  for (const relPath of found.stray) {
    report(task, nameOf(task, relPath), {
      code: 'masks.no-image',
      message: `The mask ${shown(nameOf(task, relPath))} belongs to no image; an image has the same name before the dot.`,
    });
  }
  return found.pairs.flatMap(({ image, maskPath: relPath }) => {
    if (!painted.has(image.id)) return [{ image, relPath }];
    report(task, nameOf(task, relPath), {
      code: 'masks.painted',
      message: `${shown(image.relPath)} has a label painted here, which stays; the mask ${shown(nameOf(task, relPath))} is not used.`,
    });
    return [];
  });
}

/** Images whose label was made or changed in the program; files never replace it. */
export function paintedImages(project: Project): ReadonlySet<string> {
  return new Set(project.labels.imageIds());
}

async function scanPair(
  task: MaskTask,
  { image, relPath }: Pair,
): Promise<ScannedMask | undefined> {
  const path = join(task.masksPath, relPath);
  const name = nameOf(task, relPath);
  try {
    const facts = await stat(path).catch((cause: unknown) => {
      throw fileError(cause, path);
    });
    const file = { bytes: facts.size, modifiedMs: Math.trunc(facts.mtimeMs) };
    const scan = knownScan(task, image.id, path, file) ?? (await scanFile(task, path));
    if (scan.widthPx !== image.widthPx || scan.heightPx !== image.heightPx) {
      throw new AppError(
        'masks.other-size',
        `The mask ${shown(name)} is ${scan.widthPx} x ${scan.heightPx} px, but its image is ` +
          `${image.widthPx} x ${image.heightPx} px. Export it at the size of the image.`,
      );
    }
    return { imageId: image.id, name, path, ...file, scan };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const message = error.message.replace(shown(path), shown(name));
    report(task, name, { code: asMaskCode(error.code), message });
    task.project.masks.remove(image.id);
    return undefined;
  }
}

async function scanFile(task: MaskTask, path: string): Promise<MaskScan> {
  return scanMask(await openMask(path, task.format === 'rgb'));
}

function knownScan(
  task: MaskTask,
  imageId: string,
  path: string,
  file: { readonly bytes: number; readonly modifiedMs: number },
): MaskScan | undefined {
  const row = task.project.masks.get(imageId);
  const details = v.safeParse(maskDetailsSchema, row?.details);
  if (!details.success || row?.path !== path) return undefined;
  const { bytes, modifiedMs, scan } = details.output;
  const isOtherReading = task.format === 'rgb' && scan.kind === 'palette';
  const isSame = bytes === file.bytes && modifiedMs === file.modifiedMs && !isOtherReading;
  return isSame ? scan : undefined;
}

/** Masks imported earlier: what the values mean is settled for all of a project together. */
function masksOfOtherFolders(project: Project, found: readonly ScannedMask[]): ScannedMask[] {
  const here = new Set(found.map(({ imageId }) => imageId));
  return project.masks.list().flatMap(({ imageId, path, details }) => {
    const known = v.safeParse(maskDetailsSchema, details);
    if (here.has(imageId) || !known.success) return [];
    return [{ imageId, name: path, path, ...known.output }];
  });
}

/**
 * What the user chooses wins, then declared classes; else what was chosen or declared earlier stays;
 * else the values found propose classes.
 */
function settleMapping(
  { project, folder, choice, classes }: MaskTask,
  scans: readonly MaskScan[],
): MaskMapping {
  const known = readMaskMapping(project);
  if (choice !== undefined) {
    requireKeptClasses(project, choice, { folderId: folder.id, isCoco: false });
    return chosenMapping(choice, known);
  }
  // Labels painted here hold these classes, whatever the files say.
  const isBound = paintedImages(project).size > 0;
  if (known !== undefined && (known.source === 'chosen' || isBound)) return known;
  if (classes !== undefined) return declaredMapping(classes, scans);
  return known?.source === 'file' ? known : proposedMapping(scans);
}

function storeMasks(task: MaskTask, found: readonly ScannedMask[], mapping: MaskMapping): number {
  const rows: MaskRow[] = [];
  for (const { imageId, name, path, bytes, modifiedMs, scan } of found) {
    const counts = countClasses(name, scan, mapping);
    if (counts.type === 'refused') {
      report(task, name, counts);
      task.project.masks.remove(imageId);
      continue;
    }
    rows.push({
      imageId,
      path,
      format: scan.kind,
      widthPx: scan.widthPx,
      heightPx: scan.heightPx,
      classPixels: [...counts.classPixels],
      ignoredPixels: counts.ignoredPixels,
      details: { bytes, modifiedMs, scan },
    });
  }
  task.project.masks.upsertMany(rows);
  reportUnusedClasses(task, rows, mapping);
  return rows.length;
}

function reportUnusedClasses(task: MaskTask, rows: readonly MaskRow[], mapping: MaskMapping): void {
  if (rows.length === 0 || mapping.source === 'proposed') return;
  for (const { classIndex, name } of mapping.classes) {
    if (rows.some(({ classPixels }) => (classPixels[classIndex] ?? 0) > 0)) continue;
    task.generalProblems.push({
      path: basename(task.masksPath),
      code: 'classes.no-example',
      message: `The class "${name}" (${classIndex}) occurs in no mask; it has no example to learn from.`,
      effect: 'notice',
    });
  }
}

function report(
  task: MaskTask,
  path: string,
  { code, message }: { readonly code: string; readonly message: string },
): void {
  task.problems.push({ path, code, message, effect: 'skipped' });
}
