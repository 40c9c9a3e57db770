import { basename } from 'node:path/posix';
import type { FolderRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import type { SplitFile } from './data-folder.ts';
import { shown } from './file-errors.ts';
import { groupFunction, type GroupOf } from './groups.ts';
import { eachImage } from './import-pictures.ts';
import type { GroupBy, ImportOptions, ImportProblem, Split } from './import-types.ts';
import { findLeaks } from './leaks.ts';
import { allOutlines, planSplit, storePlan } from './split-plan.ts';
import { defaultShares, labelledSplits, type SplitShares } from './splits.ts';
import { readSplitChoice, writeSplitChoice, type SplitChoice } from './stored-settings.ts';

export interface SplitTask {
  readonly project: Project;
  readonly folder: FolderRow;
  readonly options: ImportOptions;
  readonly splitFile: SplitFile | undefined;
  /** Groups by file name, of a groups.json. */
  readonly groupsFile: ReadonlyMap<string, string> | undefined;
  /** About the folder's own files. */
  readonly problems: ImportProblem[];
  /** About all images together. */
  readonly generalProblems: ImportProblem[];
}

/** Stores groups and splits of a folder, and reports what could make scores look too good. */
export function importSplits(task: SplitTask): void {
  const { project, options } = task;
  const earlier = readSplitChoice(project);
  const groupBy = options.groupBy ?? earlier?.groupBy ?? null;
  storeGroups(task, groupBy);
  const isChosen = earlier?.source === 'chosen' && options.splitFile === undefined;
  const splitFile = isChosen ? undefined : task.splitFile;
  const choice: SplitChoice = {
    source: isChosen ? 'chosen' : splitFile === undefined ? 'seed' : 'file',
    seed: options.seed ?? earlier?.seed ?? 0,
    shares: options.splitShares ?? earlier?.shares ?? defaultShares,
    groupBy,
  };
  if (splitFile === undefined) splitBySeed(task, choice, earlier);
  else splitByFile(task, splitFile);
  writeSplitChoice(project, choice);
  reportLeaks(task);
}

/** A way to divide all images that the user chose; null keeps the groups as they are stored. */
export interface ChosenSplit {
  readonly groupBy: GroupBy | null;
  readonly shares: SplitShares;
  readonly seed: number;
}

/** Divides all images anew as the user chose, and says again what that could do to scores. */
export function divideImages(project: Project, chosen: ChosenSplit): void {
  const groupOf = chosen.groupBy === null ? undefined : groupFunction(chosen.groupBy);
  const images = allOutlines(project);
  const plan = planSplit(images, { ...chosen, groupOf, keepsEarlier: false });
  const problems: ImportProblem[] = [];
  project.transaction(() => {
    storePlan(project, images, plan);
    const groupBy = chosen.groupBy ?? readSplitChoice(project)?.groupBy ?? null;
    writeSplitChoice(project, { ...chosen, groupBy, source: 'chosen' });
  });
  const task = { project, generalProblems: problems };
  const hasLabels = images.some(({ classPixels }) => classPixels !== null);
  reportEmptyParts(task, chosen.shares, hasLabels ? new Set(plan.splits) : undefined);
  reportLeaks(task);
  project.importProblems.replaceGeneral(problems, 'splits.');
}

/** Makes one original and marks the others of the same bytes; the labelled one is kept. */
export function markDuplicates(project: Project, problems: ImportProblem[]): number {
  const labelled = new Set(project.masks.list().map(({ imageId }) => imageId));
  const byHash = new Map<string, Copy[]>();
  for (const { id, relPath, sha256, status, duplicateOf } of eachImage(project)) {
    if (status === 'skipped') continue;
    const copies = byHash.get(sha256);
    const copy = { id, relPath, status, duplicateOf };
    if (copies === undefined) byHash.set(sha256, [copy]);
    else copies.push(copy);
  }
  let count = 0;
  const changed = new Map<string, string | null>();
  for (const copies of byHash.values()) {
    const original = copies.find(({ id }) => labelled.has(id)) ?? copies[0];
    if (original === undefined) continue;
    for (const copy of copies) {
      const duplicateOf = copy === original ? null : original.id;
      if (
        copy.duplicateOf !== duplicateOf ||
        (copy.status === 'usable') !== (duplicateOf === null)
      ) {
        changed.set(copy.id, duplicateOf);
      }
      if (duplicateOf === null) continue;
      count++;
      problems.push({
        path: copy.relPath,
        code: 'images.duplicate',
        message: `${shown(copy.relPath)} is the same file as ${shown(original.relPath)}; only that one is used.`,
        effect: 'skipped',
      });
    }
  }
  project.images.setDuplicates(changed);
  return count;
}

interface Copy {
  readonly id: string;
  readonly relPath: string;
  readonly status: string;
  readonly duplicateOf: string | null;
}

function storeGroups(task: SplitTask, groupBy: GroupBy | null): void {
  const { project, folder, groupsFile } = task;
  const groupOf: GroupOf | undefined =
    groupBy !== null
      ? groupFunction(groupBy)
      : groupsFile === undefined
        ? undefined
        : (relPath) => groupsFile.get(relPath) ?? groupsFile.get(basename(relPath)) ?? null;
  if (groupOf === undefined) return;
  const groups = new Map<string, string | null>();
  let alone = 0;
  for (const image of eachImage(project)) {
    if (image.folderId !== folder.id) continue;
    const group = groupOf(image.relPath);
    groups.set(image.id, group);
    if (group === null) alone++;
  }
  project.images.setGroups(groups);
  if (groupBy?.type === 'pattern' && alone > 0) {
    note(task, 'groups.no-match', {
      path: groupBy.pattern,
      message: `The group pattern fits ${groups.size - alone} of ${groups.size} images; each of the others is a group of its own.`,
    });
  }
}

function splitByFile(task: SplitTask, file: SplitFile): void {
  const { project, folder } = task;
  const splits = new Map<string, Split | null>();
  const missing = new Set([...file.splitOf.keys(), ...file.heldApart]);
  let notNamed = 0;
  for (const image of eachImage(project)) {
    if (image.folderId !== folder.id) continue;
    const names = [image.relPath, basename(image.relPath)];
    const split = file.splitOf.get(image.relPath) ?? file.splitOf.get(basename(image.relPath));
    const isNamed = names.some((name) => missing.has(name));
    for (const name of names) missing.delete(name);
    if (image.status === 'skipped') continue;
    if (!isNamed && image.status === 'usable') notNamed++;
    splits.set(image.id, split ?? null); // of duplicates too: a leak shows by it
  }
  project.images.setSplits(splits);
  if (notNamed > 0) {
    note(task, 'splits.not-named', {
      path: 'split.json',
      message: `The split names no part for ${notNamed} images; they are used for nothing.`,
    });
  }
  for (const name of missing) {
    note(task, 'splits.no-image', {
      path: name,
      message: `The split names ${shown(name)}, which is not among the images.`,
    });
  }
}

/** Earlier decisions stay when images are added, unless seed, shares or groups are chosen anew. */
function splitBySeed(task: SplitTask, choice: SplitChoice, earlier: SplitChoice | undefined): void {
  const { options } = task;
  const isAnew =
    earlier === undefined ||
    (earlier.source !== 'file' && !isSame(choice, earlier)) ||
    (options.seed !== undefined && options.seed !== earlier.seed);
  storeSplits(task, choice, !isAnew);
}

/** Settles the parts after images have gone; those of the others stay. */
export function divideAgain(project: Project, generalProblems: ImportProblem[]): void {
  const choice = readSplitChoice(project);
  const task = { project, generalProblems };
  if (choice !== undefined && choice.source !== 'file') storeSplits(task, choice, true);
  reportLeaks(task);
}

function storeSplits(
  task: GeneralTask,
  { shares, seed }: SplitChoice,
  keepsEarlier: boolean,
): void {
  const images = allOutlines(task.project);
  const plan = planSplit(images, { shares, seed, keepsEarlier });
  storePlan(task.project, images, plan);
  const hasLabels = images.some(({ classPixels }) => classPixels !== null);
  reportEmptyParts(task, shares, hasLabels ? new Set(plan.splits) : undefined);
}

type GeneralTask = Pick<SplitTask, 'project' | 'generalProblems'>;

function reportEmptyParts(
  { generalProblems }: GeneralTask,
  shares: SplitShares,
  used: ReadonlySet<Split | null> | undefined,
): void {
  const empty = labelledSplits.filter((name) => shares[name] > 0 && used?.has(name) === false);
  if (empty.length === 0) return;
  generalProblems.push({
    path: '',
    code: 'splits.too-few-groups',
    message: `There are too few labelled groups of images: nothing is left for ${empty.join(' and ')}. Label more, or choose other groups.`,
    effect: 'notice',
  });
}

function reportLeaks({ project, generalProblems }: GeneralTask): void {
  for (const { path, message } of findLeaks(allOutlines(project))) {
    generalProblems.push({ path, code: 'splits.leak', message, effect: 'notice' });
  }
}

function isSame(a: SplitChoice, b: SplitChoice): boolean {
  const patternOf = ({ groupBy }: SplitChoice) =>
    groupBy?.type === 'pattern' ? groupBy.pattern : groupBy?.type;
  return (
    a.seed === b.seed &&
    labelledSplits.every((name) => a.shares[name] === b.shares[name]) &&
    patternOf(a) === patternOf(b)
  );
}

function note(
  task: SplitTask,
  code: string,
  { path, message }: { readonly path: string; readonly message: string },
): void {
  task.problems.push({ path, code, message, effect: 'notice' });
}
