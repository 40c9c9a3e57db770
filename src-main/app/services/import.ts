import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Duplicate, ImportOverview, MaskChoice, MaskSurvey } from '../../contract/import.ts';
import { countClasses, isRare, warningsOf } from '../../datasets/class-shares.ts';
import type { ImportOptions } from '../../datasets/import-types.ts';
import { leakScore } from '../../datasets/leaks.ts';
import { problemText } from '../../datasets/problem-kinds.ts';
import { problemsFileName } from '../../datasets/problems-file.ts';
import { readLastImport, readSource, readSplitChoice } from '../../datasets/stored-settings.ts';
import type { ImportJobOptions } from '../../jobs/job-options.ts';
import { AppError } from '../../lib/errors.ts';
import type { ImageOutline } from '../../project/image-outlines.ts';
import type { FolderRow, ImageRow } from '../../project/images.ts';
import type { Project } from '../../project/project.ts';
import { isImporting, Remembered } from '../remembered.ts';
import { groupByOf, groupChoices, previewSplit, requireWholeShares } from '../split-preview.ts';
import { storedSurvey, toContract } from '../stored-survey.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

export function importService(workspace: Workspace) {
  const { places } = workspace;
  const procedures = implementation.import;
  const outlines = new Remembered(workspace, readOutlines);
  const overview = new Remembered(workspace, () => overviewOf(workspace));
  const start = (options: ImportJobOptions): { readonly jobId: string } =>
    startJob(workspace, options);
  return {
    overview: procedures.overview.handler(() => overview.get()),
    start: procedures.start.handler(({ input }) => {
      const folders = input.placeIds.map((placeId) => optionsFor(places.pathOf(placeId)));
      return start({ task: 'folders', folders });
    }),
    lookAgain: procedures.lookAgain.handler(() => {
      const folders = workspace.project.images
        .folders()
        .map((folder) => optionsAgain(workspace.project, folder));
      if (folders.length > 0) return start({ task: 'folders', folders });
      throw new AppError('images.none-found', 'There is no folder yet. Add one first.');
    }),
    removeFolder: procedures.removeFolder.handler(({ input }) =>
      start({ task: 'remove', folderId: input.folderId }),
    ),
    problemKinds: procedures.problemKinds.handler(() =>
      workspace.project.importProblems
        .countByCode()
        .map(({ code, effect, count }) => ({ code, effect, count, ...problemText(code) })),
    ),
    problems: procedures.problems.handler(({ input: { code, offset, limit } }) => {
      const { importProblems } = workspace.project;
      const rows = importProblems.list({ code, offset, limit });
      return {
        total: importProblems.count(code),
        rows: rows.map(({ path, message }) => ({ path, message })),
      };
    }),
    problemsFile: procedures.problemsFile.handler(() => {
      const path = workspace.project.path(problemsFileName);
      return existsSync(path) ? places.add(path) : null;
    }),
    duplicates: procedures.duplicates.handler(({ input }) => ({
      total: workspace.project.images.count({ status: 'duplicate' }),
      rows: duplicatesOf(workspace.project, input),
    })),
    groupChoices: procedures.groupChoices.handler(async () => {
      const { project } = workspace;
      const hasModels = project.runs.list().some(({ kind }) => kind === 'finetune');
      return groupChoices(await outlines.get(), readSplitChoice(project), hasModels);
    }),
    previewSplit: procedures.previewSplit.handler(async ({ input }) =>
      previewSplit(await outlines.get(), input),
    ),
    applySplit: procedures.applySplit.handler(({ input: { grouping, shares, seed } }) => {
      requireWholeShares(shares);
      return start({ task: 'split', groupBy: groupByOf(grouping), shares, seed });
    }),
    leaks: procedures.leaks.handler(async () => leakScore(await outlines.get())),
    surveyMasks: procedures.surveyMasks.handler(({ input }) =>
      start({ task: 'survey', masksPath: places.pathOf(input.placeId) }),
    ),
    survey: procedures.survey.handler(({ input }): MaskSurvey | null => {
      const survey = storedSurvey(workspace.project, input.jobId);
      return survey === undefined ? null : toContract(survey);
    }),
    acceptMasks: procedures.acceptMasks.handler(({ input }) =>
      start(acceptedMasks(workspace, input)),
    ),
  };
}

/** 100,000 of them are read in slices, so that main answers others in between. */
async function readOutlines(project: Project): Promise<readonly ImageOutline[]> {
  const outlines: ImageOutline[] = [];
  for (const page of project.imageOutlines.pages()) {
    for (const outline of page) outlines.push(outline);
    await setImmediate();
  }
  return outlines;
}

/** One import at a time: two would divide the images against each other. */
function startJob(workspace: Workspace, options: ImportJobOptions): { readonly jobId: string } {
  if (isImporting(workspace)) {
    throw new AppError(
      'import.busy',
      'An import is still running. Wait until it has ended, or cancel it.',
    );
  }
  return { jobId: workspace.queue.add({ type: 'import', options: { ...options } }).id };
}

function optionsFor(imagesPath: string): ImportOptions {
  return { imagesPath, labels: 'leave' };
}

/** As before, with the masks that were imported for the folder. */
function optionsAgain(project: Project, folder: FolderRow): ImportOptions {
  const labels = readSource(project, folder.id)?.labels ?? null;
  return labels === null ? optionsFor(folder.path) : { imagesPath: folder.path, masksPath: labels };
}

function acceptedMasks(workspace: Workspace, choice: MaskChoice): ImportJobOptions {
  const { jobId, classes, assignments, otherValues } = choice;
  const survey = storedSurvey(workspace.project, jobId);
  if (survey === undefined) {
    throw new AppError('masks.no-survey', 'These masks were not looked at yet. Choose them again.');
  }
  return {
    imagesPath: survey.imagesPath,
    masksPath: survey.path,
    mapping: { classes, assignments, otherValues },
  };
}

function overviewOf(workspace: Workspace): ImportOverview {
  const { project, places } = workspace;
  const counts = project.imageOutlines.folderTallies();
  const leftOut = project.importProblems.skippedByFolder();
  const last = readLastImport(project);
  const problems = { skipped: 0, notices: 0 };
  for (const { effect, count } of project.importProblems.countByCode()) {
    problems[effect === 'skipped' ? 'skipped' : 'notices'] += count;
  }
  const placeOf = (path: string | null) => (path === null ? null : places.add(path));
  return {
    folders: project.images.folders().map(({ id, path }) => {
      const source = readSource(project, id);
      const labels = source?.labels ?? null;
      const skipped = (leftOut.get(id) ?? 0) + (counts.get(`${id} duplicate`) ?? 0);
      return {
        id,
        place: places.add(path),
        isThere: existsSync(path),
        usable: counts.get(`${id} usable`) ?? 0,
        skipped,
        foundLabels: labels === null ? placeOf(source?.foundLabels ?? null) : null,
        labels: placeOf(labels),
      };
    }),
    fingerprint: last === undefined ? null : fingerprintNow(project, last.fingerprint),
    last: last ?? null,
    problems,
  };
}

/** The pictures as the last import measured them; labels, groups and parts as they are now. */
function fingerprintNow(
  project: Project,
  measured: NonNullable<ReturnType<typeof readLastImport>>['fingerprint'],
): NonNullable<ImportOverview['fingerprint']> {
  const splits = { train: 0, val: 0, test: 0, unlabelled: 0, unused: 0 };
  for (const { key, count } of project.imageOutlines.splitTallies())
    splits[key ?? 'unused'] = count;
  const { classes, labelled } = countClasses(project);
  const colors = project.classes.list().map(({ color }) => color);
  return {
    ...measured,
    images: Object.values(splits).reduce((sum, count) => sum + count, 0),
    labelled,
    splits,
    groups: project.imageOutlines.groupCount(),
    classes: classes.map((entry, i) => ({
      ...entry,
      color: colors[i] ?? '#808080',
      isRare: labelled > 0 && isRare(entry.share),
    })),
    warnings: warningsOf({ channels: measured.channels, classes, labelled }),
  };
}

function duplicatesOf(
  project: Project,
  page: { readonly offset: number; readonly limit: number },
): Duplicate[] {
  const folders = new Map(project.images.folders().map(({ id, path }) => [id, path]));
  const pictured = ({ id, relPath, folderId }: ImageRow) => ({
    id,
    name: relPath,
    folder: folders.get(folderId) ?? '',
  });
  return project.images.list({ status: 'duplicate', ...page }).map((copy) => {
    const kept = copy.duplicateOf === null ? undefined : project.images.get(copy.duplicateOf);
    return { copy: pictured(copy), kept: kept === undefined ? null : pictured(kept) };
  });
}
