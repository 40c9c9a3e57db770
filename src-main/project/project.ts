import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import * as v from 'valibot';
import { AppError, defined } from '../lib/errors.ts';
import { backUpDaily } from './backups.ts';
import { createCheckpoints, type Checkpoints } from './checkpoints.ts';
import { createClasses, type Classes } from './classes.ts';
import { connect, durably, execute, immediately, selectOne, type Connection } from './database.ts';
import { createImagePages, type ImagePages } from './image-pages.ts';
import { createImageOutlines, type ImageOutlines } from './image-outlines.ts';
import { createImages, type Images } from './images.ts';
import { createImportProblems, type ImportProblems } from './import-problems.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createLabelLists, type LabelLists } from './label-lists.ts';
import { createLabelProposals, type LabelProposals } from './label-proposals.ts';
import { createLabelSuggestions, type LabelSuggestions } from './label-suggestions.ts';
import { createLabels, type Labels } from './labels.ts';
import { createMasks, type Masks } from './masks.ts';
import { migrate, requireCurrentVersion } from './migrate.ts';
import { createModels, type Models } from './models.ts';
import { createPretrainImages, type PretrainImages } from './pretrain-images.ts';
import {
  createRunMetrics,
  createRunNotices,
  type RunMetricsTable,
  type RunNotices,
} from './run-metrics.ts';
import { createRuns, type Runs } from './runs.ts';
import { createSettings, type Settings } from './settings.ts';
import { createStudies, type Studies } from './studies.ts';
import { newId, now } from './values.ts';

/** An open project folder. Whoever opened it disposes it. */
export interface Project {
  /** Absolute path of the `*.decon` folder. */
  readonly dir: string;
  readonly id: string;
  readonly name: string;
  readonly images: Images;
  readonly imageOutlines: ImageOutlines;
  readonly imagePages: ImagePages;
  readonly pretrainImages: PretrainImages;
  readonly importProblems: ImportProblems;
  readonly masks: Masks;
  readonly labels: Labels;
  readonly labelLists: LabelLists;
  readonly labelProposals: LabelProposals;
  readonly labelSuggestions: LabelSuggestions;
  readonly classes: Classes;
  readonly settings: Settings;
  readonly runs: Runs;
  readonly runMetrics: RunMetricsTable;
  readonly runNotices: RunNotices;
  readonly checkpoints: Checkpoints;
  readonly studies: Studies;
  readonly models: Models;
  readonly jobs: Jobs;
  /** Absolute path of a file that the database names relative to the project. */
  path(relative: string): string;
  /** `runs/<id>` of a run, created when absent. */
  runFolder(runId: string): string;
  /** Several writes as one: all or nothing. Keep it short, others wait. */
  transaction<T>(work: () => T): T;
  /** As `transaction`, and safe from a power cut when it returns; for rows after which files go. */
  durably<T>(work: () => T): T;
  dispose(): void;
}

const databaseName = 'project.sqlite';
const subfolders = ['cache', 'runs', 'models', 'backups'];

/**
 * Makes a project folder and opens it. `dir` must not exist or be empty.
 * @throws AppError `project.exists`, `project.unwritable`
 */
export function createProject(dir: string, name = basename(dir).replace(/\.decon$/, '')): Project {
  const path = resolve(dir);
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new AppError(
      'project.exists',
      `${path} already exists and is not empty. Choose another name, or open it as it is.`,
    );
  }
  try {
    for (const folder of subfolders) mkdirSync(join(path, folder), { recursive: true });
  } catch (cause) {
    throw new AppError(
      'project.unwritable',
      `The folder ${path} could not be made. Check that you may write there.`,
      { cause },
    );
  }
  const db = connect(join(path, databaseName), { create: true });
  migrate(db, join(path, 'backups'));
  execute(
    db,
    'project.create',
    'INSERT INTO project (only_row, id, name, created_at) VALUES (1, @id, @name, @createdAt)',
  )({ id: newId(), name, createdAt: now() });
  return assemble(path, db);
}

/**
 * Opens a project folder, bringing an older database up to date after a verified backup.
 * `migrate: false` is for job processes, which never change the schema.
 * @throws AppError `project.missing`, `project.newer-version`, `project.damaged`, `project.busy`
 */
export function openProject(
  dir: string,
  options: { migrate: boolean } = { migrate: true },
): Project {
  const path = resolve(dir);
  const file = join(path, databaseName);
  if (!existsSync(file)) {
    throw new AppError(
      'project.missing',
      `There is no project in ${path}. Make one with "decon init", or check the path.`,
    );
  }
  const db = connect(file, { create: false });
  try {
    if (options.migrate) {
      migrate(db, join(path, 'backups'));
      backUpDaily(db, join(path, 'backups'));
    } else {
      requireCurrentVersion(db);
    }
    for (const folder of subfolders) mkdirSync(join(path, folder), { recursive: true });
    return assemble(path, db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function assemble(dir: string, db: Connection): Project {
  const about = selectOne(
    db,
    'project.get',
    'SELECT id, name FROM project',
    v.object({ id: v.string(), name: v.string() }),
  )();
  return {
    dir,
    ...defined(about, 'project row'),
    images: createImages(db),
    imageOutlines: createImageOutlines(db),
    imagePages: createImagePages(db),
    pretrainImages: createPretrainImages(db),
    importProblems: createImportProblems(db),
    masks: createMasks(db),
    labels: createLabels(db),
    labelLists: createLabelLists(db),
    labelProposals: createLabelProposals(db),
    labelSuggestions: createLabelSuggestions(db),
    classes: createClasses(db),
    settings: createSettings(db),
    runs: createRuns(db),
    runMetrics: createRunMetrics(db),
    runNotices: createRunNotices(db),
    checkpoints: createCheckpoints(db),
    studies: createStudies(db),
    models: createModels(db),
    jobs: createJobs(db),
    path: (relative) => join(dir, relative),
    runFolder: (runId) => {
      const folder = join(dir, 'runs', runId);
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    transaction: (work) => immediately(db, work),
    durably: (work) => durably(db, work),
    dispose: () => db.close(),
  };
}
