import { AppError } from '../lib/errors.ts';
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
import { importMaskFiles, isMaskName } from './import-masks.ts';
import { importPictures } from './import-pictures.ts';
import { importSplits, markDuplicates } from './import-splits.ts';
import type { ImportOptions, ImportProblem, ImportSummary, TaskControl } from './import-types.ts';
import { walkFolder } from './walk.ts';

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
  const files = isMixed ? walked.files.filter(({ relPath }) => !isMaskName(relPath)) : walked.files;
  const folder = project.images.addFolder(places.images);
  const counts = await importPictures(project, folder, files, problems, control);
  if (counts.found === 0) throw noImages(places.images);
  await importMasks(project, places, { ...declared, folder, problems, control, options });
  const duplicates = markDuplicates(project, problems);
  importSplits({ project, folder, options, problems, ...declared });
  problems.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  project.transaction(() => {
    project.importProblems.clear();
    project.importProblems.addMany(problems);
  });
  const fingerprint = fingerprintOf(project);
  return {
    ...counts,
    usable: counts.usable - duplicates,
    duplicates,
    masks: fingerprint.labelled,
    problems: countByCode(problems),
    fingerprint,
    seconds: (performance.now() - started) / 1000,
  };
}

function noImages(path: string): AppError {
  return new AppError(
    'images.none-found',
    `There is no image (JPEG, PNG, TIFF, WebP or GIF) in ${shown(path)}. Check that it is the right folder.`,
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
  readonly classes: ClassesFile | undefined;
  readonly folder: FolderRow;
  readonly problems: ImportProblem[];
  readonly control: TaskControl;
  readonly options: ImportOptions;
}

async function importMasks(
  project: Project,
  places: DataFolder,
  { options, ...context }: MaskContext,
): Promise<void> {
  if (places.coco !== undefined) {
    await importCocoMasks({ project, cocoPath: places.coco, ...context });
  } else if (places.masks !== undefined) {
    const format = options.maskFormat;
    await importMaskFiles({ project, masksPath: places.masks, format, ...context });
  }
}

function countByCode(problems: readonly ImportProblem[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of problems) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
