import { mkdirSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { FolderRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import { encodeClassMask } from './encode.ts';
import { fileError, shown } from './file-errors.ts';
import { eachImage } from './import-pictures.ts';
import type { TaskControl } from './import-types.ts';
import { surveyCoco } from './mask-survey-coco.ts';
import { surveyFiles } from './mask-survey-files.ts';
import { proposeClasses } from './mask-survey-proposal.ts';
import {
  samplePath,
  surveyFolder,
  type Looked,
  type MaskSurvey,
  type SurveyImage,
  type ValueSeen,
} from './mask-survey-types.ts';

const sampleCount = 12;
const maxListed = 1000;
const samplePx = 400;

/** Pixels of a sample that are no listed value. */
const otherSlot = 255;

/**
 * Looks at a folder of masks or a COCO file without importing anything: which image each mask
 * belongs to, which values occur, and what they probably mean. Pictures of some masks, whose pixels
 * are places in the list of values, go to the cache under `name`.
 * @throws AppError `masks.none-found`, `masks.too-many-values`, `data.bad-file`; CancelledError
 */
export async function surveyMasks(
  project: Project,
  path: string,
  name: string,
  control: TaskControl = {},
): Promise<MaskSurvey> {
  const isFolder = await isDirectory(path);
  const images = imagesByFolder(project);
  if (images.size === 0) {
    throw new AppError('images.none-found', 'There are no images yet. Add images first.');
  }
  const looked = isFolder
    ? await surveyFiles(project, images, path, control)
    : await surveyCoco(images, path, control);
  if (looked.matched === 0) throw noneFits(path, images, looked);
  const proposal = await proposeClasses(project, looked, path);
  const { values, soft } = proposal;
  const chosen = chooseSamples(looked, values);
  const samples = await drawSamples(project, looked, { chosen, values, name, control });
  const { folder, masks, matched, lookedAt, unlabelled, stray, problems } = looked;
  return {
    path,
    folderId: folder.id,
    imagesPath: folder.path,
    name: basename(path),
    kind: isFolder ? 'files' : 'coco',
    images: matched + unlabelled.length,
    masks,
    matched,
    lookedAt,
    proposedBy: proposal.proposedBy,
    classes: proposal.classes,
    lockedClasses: proposal.lockedClasses,
    values,
    soft,
    samples,
    unlabelledImages: listed(unlabelled),
    strayMasks: listed(stray),
    problems: { count: problems.length, rows: problems.slice(0, maxListed) },
  };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw fileError(cause, path);
  }
}

function imagesByFolder(project: Project): Map<FolderRow, SurveyImage[]> {
  const folders = new Map(project.images.folders().map((folder) => [folder.id, folder]));
  const result = new Map<FolderRow, SurveyImage[]>();
  for (const { id, folderId, relPath, status, widthPx, heightPx } of eachImage(project)) {
    const folder = folders.get(folderId);
    if (status === 'skipped' || folder === undefined) continue;
    const images = result.get(folder) ?? [];
    images.push({ id, relPath, widthPx, heightPx, isUsable: status === 'usable' });
    result.set(folder, images);
  }
  return result;
}

/** Says with an example of both why nothing fits together. */
function noneFits(
  path: string,
  images: ReadonlyMap<FolderRow, readonly SurveyImage[]>,
  looked: Looked,
): AppError {
  const [mask] = looked.stray;
  if (mask === undefined) {
    return new AppError(
      'masks.none-found',
      `There is no mask in ${shown(path)}. Choose the folder that holds the mask files, or a COCO file.`,
    );
  }
  const image = [...images.values()][0]?.[0]?.relPath ?? '';
  return new AppError(
    'masks.none-found',
    `No mask fits an image: a mask is called ${shown(mask)}, an image ${shown(image)}. A mask has the name of its image before the dot, or that name with _mask, _label, _gt or _seg.`,
  );
}

function listed(names: readonly string[]): MaskSurvey['strayMasks'] {
  return { count: names.length, names: names.slice(0, maxListed) };
}

/** Masks that show every value, the rarest first, filled up with others spread over the list. */
function chooseSamples(looked: Looked, values: readonly ValueSeen[]): number[] {
  const chosen = new Set<number>();
  for (const { key } of [...values].sort((a, b) => a.masks - b.masks)) {
    if (chosen.size >= sampleCount) break;
    const isShown = [...chosen].some((i) => looked.seen[i]?.keys.has(key) === true);
    const first = looked.seen.findIndex(({ keys }) => keys.has(key));
    if (!isShown && first >= 0) chosen.add(first);
  }
  const step = Math.max(1, looked.seen.length / sampleCount);
  for (let i = 0; chosen.size < sampleCount && i < looked.seen.length; i += step) {
    chosen.add(Math.floor(i));
  }
  return [...chosen].sort((a, b) => a - b);
}

async function drawSamples(
  project: Project,
  looked: Looked,
  task: {
    readonly chosen: readonly number[];
    readonly values: readonly ValueSeen[];
    readonly name: string;
    readonly control: TaskControl;
  },
): Promise<MaskSurvey['samples']> {
  rmSync(project.path(surveyFolder), { recursive: true, force: true }); // of earlier surveys
  mkdirSync(project.path(join(surveyFolder, task.name)), { recursive: true });
  const slots = new Map(task.values.map(({ key }, slot) => [key, slot]));
  const samples: { imageId: string; name: string; widthPx: number; heightPx: number }[] = [];
  for (const index of task.chosen) {
    throwIfCancelled(task.control.signal);
    const seen = looked.seen[index];
    if (seen === undefined) continue;
    const { id: imageId, relPath, widthPx, heightPx } = seen.image;
    const scale = Math.min(1, samplePx / Math.max(widthPx, heightPx));
    const size = {
      widthPx: Math.max(1, Math.round(widthPx * scale)),
      heightPx: Math.max(1, Math.round(heightPx * scale)),
    };
    const keys = await looked.readSample(seen, size);
    const pixels = Uint8Array.from(keys, (key) => slots.get(key) ?? otherSlot);
    writeFileAtomic(project.path(samplePath(task.name, samples.length)), [
      await encodeClassMask(pixels, size),
    ]);
    samples.push({ imageId, name: relPath, ...size });
  }
  return samples;
}
