import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError } from '../lib/errors.ts';
import { interruptLostJobs } from '../jobs/states.ts';
import { createProject, openProject, type Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import type { StudyRow } from '../project/studies.ts';

/**
 * Opens the project of `--project`, or the only one here, for as long as `work` takes.
 * Jobs whose process is gone are marked as interrupted first.
 */
export async function withProject(
  wanted: string | undefined,
  work: (project: Project) => Promise<void>,
): Promise<void> {
  const project = openProject(wanted ?? onlyProjectIn(process.cwd()));
  try {
    interruptLostJobs(project);
    await work(project);
  } finally {
    project.dispose();
  }
}

/**
 * As `withProject`; where no single project is at hand, an empty one that is gone afterwards. For
 * work that needs nothing from a project but a process of its own.
 */
export async function withAnyProject(
  wanted: string | undefined,
  work: (project: Project) => Promise<void>,
): Promise<void> {
  if (wanted !== undefined || projectsIn(process.cwd()).length === 1) {
    return withProject(wanted, work);
  }
  const folder = mkdtempSync(join(tmpdir(), 'decon-'));
  try {
    const project = createProject(join(folder, 'none.decon'));
    try {
      await work(project);
    } finally {
      project.dispose();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run by name, id, or the beginning of its id. */
export function findRun(project: Project, word: string): RunRow {
  const found = findOne(project.runs.list(), word);
  if (found !== undefined) return found;
  throw new AppError(
    'runs.unknown',
    `There is no run "${word}" in this project. "decon runs" lists them.`,
  );
}

/** A study by name, id, or the beginning of its id. */
export function findStudy(project: Project, word: string): StudyRow | undefined {
  return findOne(project.studies.list(), word);
}

function findOne<T extends { readonly id: string; readonly name: string }>(
  rows: readonly T[],
  word: string,
): T | undefined {
  const exact = rows.find((row) => row.name === word || row.id === word);
  if (exact !== undefined || word.length < 4) return exact;
  const begun = rows.filter((row) => row.id.startsWith(word));
  return begun.length === 1 ? begun[0] : undefined;
}

function onlyProjectIn(folder: string): string {
  const found = projectsIn(folder);
  const [only] = found;
  if (only !== undefined && found.length === 1) return resolve(folder, only);
  throw new AppError(
    'project.unclear',
    found.length === 0
      ? 'There is no project here. Make one with "decon init NAME", or name one with --project DIR.'
      : `There are several projects here (${found.join(', ')}). Name one with --project DIR.`,
  );
}

/** The folder itself, or the projects that lie in it. */
function projectsIn(folder: string): readonly string[] {
  if (existsSync(join(folder, 'project.sqlite'))) return [folder];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.decon'))
    .filter((name) => existsSync(join(folder, name, 'project.sqlite')));
}
