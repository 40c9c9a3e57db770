import { AppError, CancelledError } from '../lib/errors.ts';
import type { FolderRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import {
  readClassesFile,
  readGroupsFile,
  readSplitFile,
  recognizeDataFolder,
  type ClassesFile,
  type DataFolder,
  type SplitFile,
} from './data-folder.ts';
import { shown } from './file-errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { importCocoMasks } from './import-coco.ts';
import { importMaskFiles } from './import-masks.ts';
import { importPictures, noPictures, type PictureCounts } from './import-pictures.ts';
import { importSplits, markDuplicates } from './import-splits.ts';
import { isMaskName, masksAmong } from './mask-pairs.ts';
import type { ImportOptions, ImportProblem, ImportSummary, TaskControl } from './import-types.ts';
import { writeProblemsFile } from './problems-file.ts';
import { readSource, writeLastImport, writeSource } from './stored-settings.ts';
import { walkFolder, type FoundFile } from './walk.ts';

/**
 * Reads a folder of images, and the masks, classes, split and groups found with it, into a project.
 * Source files are only read. One bad file never ends an import: everything worth knowing about a
 * file is stored as a problem. Importing again reads only what has changed.
 * @throws AppError when the folder itself or a file about all images (classes.json...) cannot be
 * used, `images.none-found`; CancelledError
 */
export async function importImages(
  project: Project,
  options: ImportOptions,
  control: TaskControl = {},
): Promise<ImportSummary> {
  const started = performance.now();
  const places = await recognizeDataFolder(options);
  const declared = await readDeclarations(places);
  const problems: ImportProblem[] = [];
  const generalProblems: ImportProblem[] = [];
  const isMixed = places.masks === places.images;
  const walked = await walkFolder(places.images, {
    except: places.masks === undefined || isMixed ? [] : [places.masks],
    signal: control.signal,
    onFound: (found) => {
      if (found % 1000 === 0) {
        control.onProgress?.({ phase: 'Looking for images', done: found, total: 0, unit: 'file' });
      }
    },
  });
  problems.push(...walked.problems);
  const { files, mixedMasks } = withoutMasks(walked.files, isMixed, options);
  const folder = project.images.addFolder(places.images);
  const context = { project, folder, problems, generalProblems, control };
  const counts = noPictures();
  const finish = (): ImportSummary => {
    const duplicates = markDuplicates(project, generalProblems);
    importSplits({ ...context, ...declared, options });
    storeProblems(project, folder, problems, generalProblems);
    return summarize(project, counts, {
      duplicates,
      problems: countByCode([...problems, ...generalProblems]),
      seconds: (performance.now() - started) / 1000,
    });
  };
  try {
    await importPictures({ ...context, files, counts });
    if (counts.found === 0) throw noImages(project, folder);
    const isLeft = options.labels === 'leave';
    if (!isLeft) await importMasks(places, { ...context, ...declared, options });
    noteSource(project, folder, { places, mixedMasks, isLeft });
  } catch (error) {
    if (error instanceof CancelledError) finish(); // what was read is as good as after a whole import
    throw error;
  }
  return finish();
}

function summarize(
  project: Project,
  counts: PictureCounts,
  rest: Pick<ImportSummary, 'duplicates' | 'problems' | 'seconds'>,
): ImportSummary {
  const fingerprint = fingerprintOf(project);
  const usable = Math.max(0, counts.usable - rest.duplicates);
  const summary = { ...counts, ...rest, usable, masks: fingerprint.labelled, fingerprint };
  writeLastImport(project, { at: Date.now(), ...summary });
  return summary;
}

/** Files that are masks by their name and place are no images. */
function withoutMasks(
  files: readonly FoundFile[],
  isMixed: boolean,
  options: ImportOptions,
): { readonly files: readonly FoundFile[]; readonly mixedMasks: number } {
  if (isMixed) return { files: files.filter(({ relPath }) => !isMaskName(relPath)), mixedMasks: 0 };
  if (options.labels !== 'leave') return { files, mixedMasks: 0 };
  const masks = masksAmong(files.map(({ relPath }) => relPath));
  return { files: files.filter(({ relPath }) => !masks.has(relPath)), mixedMasks: masks.size };
}

/** Remembers where the labels of a folder come from, or where some were found and left. */
function noteSource(
  project: Project,
  folder: FolderRow,
  found: { readonly places: DataFolder; readonly mixedMasks: number; readonly isLeft: boolean },
): void {
  const { places, mixedMasks, isLeft } = found;
  const path = places.coco ?? places.masks ?? (mixedMasks > 0 ? places.images : null);
  const earlier = readSource(project, folder.id);
  writeSource(project, folder.id, {
    foundLabels: path,
    labels: isLeft ? (earlier?.labels ?? null) : path,
  });
}

function storeProblems(
  project: Project,
  folder: FolderRow,
  problems: ImportProblem[],
  generalProblems: ImportProblem[],
): void {
  const byPath = (a: ImportProblem, b: ImportProblem) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
  project.transaction(() => {
    project.importProblems.replaceOfFolder(folder.id, problems.sort(byPath));
    project.importProblems.replaceGeneral(generalProblems.sort(byPath));
  });
  writeProblemsFile(project);
}

function noImages(project: Project, folder: FolderRow): AppError {
  if (!project.imageOutlines.hasImages(folder.id)) project.images.removeFolder(folder.id);
  return new AppError(
    'images.none-found',
    `There is no image (JPEG, PNG, TIFF, WebP or GIF) in ${shown(folder.path)}. Check that it is the right folder.`,
  );
}

interface Declarations {
  readonly classes: ClassesFile | undefined;
  readonly splitFile: SplitFile | undefined;
  readonly groupsFile: ReadonlyMap<string, string> | undefined;
}

/** Reads the files about all images first, so that a fault in them is told before the long part. */
async function readDeclarations({ classes, split, groups }: DataFolder): Promise<Declarations> {
  return {
    classes: classes === undefined ? undefined : await readClassesFile(classes),
    splitFile: split === undefined ? undefined : await readSplitFile(split),
    groupsFile: groups === undefined ? undefined : await readGroupsFile(groups),
  };
}

interface MaskContext {
  readonly project: Project;
  readonly classes: ClassesFile | undefined;
  readonly folder: FolderRow;
  readonly problems: ImportProblem[];
  readonly generalProblems: ImportProblem[];
  readonly control: TaskControl;
  readonly options: ImportOptions;
}

async function importMasks(
  places: DataFolder,
  { options, ...context }: MaskContext,
): Promise<void> {
  const choice = options.mapping;
  if (places.coco !== undefined) {
    await importCocoMasks({ ...context, cocoPath: places.coco, choice });
  } else if (places.masks !== undefined) {
    const format = options.maskFormat;
    await importMaskFiles({ ...context, masksPath: places.masks, format, choice });
  }
}

function countByCode(problems: readonly ImportProblem[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of problems) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
