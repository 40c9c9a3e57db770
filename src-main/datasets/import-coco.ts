import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path/posix';
import { AppError } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { forEachParallel } from '../lib/parallel.ts';
import type { FolderRow, ImageRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import { defaultColor } from './class-colors.ts';
import {
  drawCocoMask,
  findCocoImage,
  readCocoFile,
  type CocoImage,
  type CocoLabels,
} from './coco.ts';
import type { ClassesFile } from './data-folder.ts';
import { encodeClassMask } from './encode.ts';
import { shown } from './file-errors.ts';
import { paintedImages } from './import-masks.ts';
import { eachImage } from './import-pictures.ts';
import type { ImportProblem, TaskControl } from './import-types.ts';
import { chosenMapping, requireKeptClasses, type MaskChoice } from './mask-choice.ts';
import type { MaskMapping } from './mask-mapping.ts';
import { readMaskMapping, writeMaskMapping } from './stored-settings.ts';
import { ignoredClass } from './tile-cache.ts';

export interface CocoTask {
  readonly project: Project;
  readonly folder: FolderRow;
  readonly cocoPath: string;
  readonly classes: ClassesFile | undefined;
  /** What the user decided about the categories. */
  readonly choice: MaskChoice | undefined;
  readonly problems: ImportProblem[];
  readonly control: TaskControl;
}

/** Folder of the project with masks drawn from label files. */
const labelFolder = 'labels';

/**
 * Draws the labels of a COCO file as masks of class indices inside the project, so that from here on
 * they are read like any other mask. Images without any outline stay unlabelled.
 * @returns how many masks were made
 */
export async function importCocoMasks(task: CocoTask): Promise<number> {
  const { project, folder, control } = task;
  const labels = await readCocoFile(task.cocoPath);
  const { mapping, classIndexOf } =
    chosenClasses(task, labels) ?? settleClasses(project, task.classes, labels);
  writeMaskMapping(project, mapping);
  mkdirSync(project.path(labelFolder), { recursive: true });
  const painted = paintedImages(project);
  const images = [...eachImage(project)].filter(
    ({ id, folderId, status }) =>
      folderId === folder.id && status !== 'skipped' && !painted.has(id),
  );
  let made = 0;
  let done = 0;
  await forEachParallel(
    images,
    availableParallelism(),
    async (image) => {
      const entry = findCocoImage(labels, image.relPath);
      if (entry !== undefined && (await drawInto(task, image, entry, classIndexOf))) made++;
      done++;
      control.onProgress?.({ phase: 'Drawing masks', done, total: images.length, unit: 'image' });
    },
    control.signal,
  );
  reportMissingImages(task, labels, images);
  return made;
}

/** Classes by their order in the COCO file, or by name when classes.json declares them. */
function settleClasses(
  project: Project,
  declared: ClassesFile | undefined,
  labels: CocoLabels,
): { readonly mapping: MaskMapping; readonly classIndexOf: readonly number[] } {
  const names =
    declared === undefined
      ? labels.classNames
      : [...declared.classes].sort((a, b) => a.index - b.index).map(({ name }) => name);
  const classIndexOf = labels.classNames.map((name, i) => (i === 0 ? 0 : names.indexOf(name)));
  const unknown = labels.classNames.filter((_, i) => classIndexOf[i] === -1);
  if (unknown.length > 0) {
    throw new AppError(
      'classes.conflict',
      `The COCO file has classes that classes.json does not name: ${unknown.join(', ')}. Add them.`,
    );
  }
  const classes = names.map((name, classIndex) => ({
    classIndex,
    name,
    color:
      declared?.classes.find((entry) => entry.name === name)?.color ?? defaultColor(classIndex),
  }));
  const known = readMaskMapping(project);
  const isOther = known?.classes.some(({ name }, i) => name !== names[i]) ?? false;
  const isBound =
    paintedImages(project).size > 0 || project.masks.list().some(({ format }) => format !== 'coco');
  if (isOther && isBound) {
    throw new AppError(
      'classes.conflict',
      'The project already has masks with other classes. Import the COCO file into a new project.',
    );
  }
  const identity = classes.map(({ classIndex }): [number, number] => [classIndex, classIndex]);
  const tables = { index: identity, palette: identity, rgb: [] };
  return { mapping: { source: 'file', classes, tables }, classIndexOf };
}

/** What the user decides now, or decided earlier; categories without a class are ignored. */
function chosenClasses(
  { project, folder, choice }: CocoTask,
  labels: CocoLabels,
): { readonly mapping: MaskMapping; readonly classIndexOf: readonly number[] } | undefined {
  const known = readMaskMapping(project);
  if (choice !== undefined) {
    requireKeptClasses(project, choice, { folderId: folder.id, isCoco: true });
  }
  const mapping = choice === undefined ? known : chosenMapping(choice, known);
  if (mapping?.source !== 'chosen' || mapping.tables.coco === undefined) return undefined;
  const table = new Map(mapping.tables.coco);
  return { mapping, classIndexOf: labels.classNames.map((_, i) => table.get(i) ?? ignoredClass) };
}

async function drawInto(
  task: CocoTask,
  image: ImageRow,
  entry: CocoImage,
  classIndexOf: readonly number[],
): Promise<boolean> {
  const { project } = task;
  try {
    if (entry.boxesOnly > 0) {
      throw new AppError(
        'masks.boxes-only',
        `${shown(image.relPath)} has ${entry.boxesOnly} labels without an outline (boxes only), so its mask would be incomplete; it is left unlabelled.`,
      );
    }
    if (entry.shapes.length === 0) return false;
    requireSameSize(image, entry);
    const drawn = drawCocoMask(entry).map((index) => classIndexOf[index] ?? 0);
    const file = `${labelFolder}/${image.id}.png`;
    writeFileAtomic(project.path(file), [await encodeClassMask(drawn, image)]);
    const counts = new Array<number>(ignoredClass + 1).fill(0);
    for (const index of drawn) counts[index] = (counts[index] ?? 0) + 1;
    const { widthPx, heightPx } = image;
    const classPixels = counts.slice(0, project.classes.list().length);
    const ignoredPixels = counts[ignoredClass] ?? 0;
    const row = { imageId: image.id, path: file, widthPx, heightPx, classPixels, ignoredPixels };
    project.masks.upsertMany([{ ...row, format: 'coco', details: {} }]);
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message } = error;
    task.problems.push({ path: image.relPath, code, message, effect: 'skipped' });
    project.masks.remove(image.id);
    return false;
  }
}

function requireSameSize(image: ImageRow, entry: CocoImage): void {
  if (entry.widthPx === image.widthPx && entry.heightPx === image.heightPx) return;
  throw new AppError(
    'masks.other-size',
    `The labels of ${shown(image.relPath)} are for ${entry.widthPx} x ${entry.heightPx} px, but the ` +
      `image is ${image.widthPx} x ${image.heightPx} px. Export them for this image.`,
  );
}

function reportMissingImages(
  task: CocoTask,
  labels: CocoLabels,
  images: readonly ImageRow[],
): void {
  const present = new Set(images.flatMap(({ relPath }) => [relPath, basename(relPath)]));
  for (const { fileName, shapes } of labels.images.values()) {
    if (shapes.length === 0 || present.has(fileName) || present.has(basename(fileName))) continue;
    task.problems.push({
      path: fileName,
      code: 'masks.no-image',
      message: `The COCO file labels ${shown(fileName)}, which is not among the images.`,
      effect: 'notice',
    });
  }
}
