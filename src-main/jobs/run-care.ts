import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, join } from 'node:path';
import { AppError } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { activeJobOf } from './states.ts';

/** Bytes of a run's files of weights inside the project. */
export function weightBytes(project: Project, runId: string): number {
  return weightFiles(project, runId).reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/**
 * Deletes the weights of a run and keeps its record: settings, curves, notices and pictures. Models
 * that were exported out of the project stay where they are.
 * @returns the bytes that are free again
 * @throws AppError `runs.running`
 */
export function deleteWeights(project: Project, run: RunRow): number {
  requireIdle(project, run);
  const files = weightFiles(project, run.id);
  const bytes = weightBytes(project, run.id);
  project.durably(() => {
    for (const { kind } of project.checkpoints.list(run.id)) {
      project.checkpoints.remove(run.id, kind);
    }
    for (const model of project.models.list(run.id)) project.models.remove(model.id);
  });
  for (const path of files) rmSync(path, { force: true });
  return bytes;
}

/**
 * Gives a run another name; files named after it follow, so that a later run may take the old one.
 * @throws AppError `runs.running`, `runs.exists`, `runs.bad-name`
 */
export function renameRun(project: Project, run: RunRow, name: string): void {
  requireIdle(project, run);
  const moves = new Map<string, string>();
  for (const { file } of [...project.models.list(run.id), ...project.checkpoints.list(run.id)]) {
    const target = renamed(file, run.name, name);
    if (target !== undefined && existsSync(project.path(file))) moves.set(file, target);
  }
  project.durably(() => {
    project.runs.rename(run.id, name);
    for (const model of project.models.list(run.id)) {
      const file = moves.get(model.file);
      if (file === undefined) continue;
      project.models.remove(model.id);
      project.models.add({ ...model, file });
    }
    for (const checkpoint of project.checkpoints.list(run.id)) {
      const file = moves.get(checkpoint.file);
      if (file !== undefined) project.checkpoints.put({ ...checkpoint, file });
    }
    for (const [from, to] of moves) renameSync(project.path(from), project.path(to));
  });
}

/** The name of a file in the project's models that is called after its run. */
function renamed(file: string, oldName: string, newName: string): string | undefined {
  const extension = extname(file);
  const isOwn = !isAbsolute(file) && file === `${dirname(file)}/${oldName}${extension}`;
  return isOwn ? `${dirname(file)}/${newName}${extension}` : undefined;
}

function weightFiles(project: Project, runId: string): string[] {
  const files = [...project.checkpoints.list(runId), ...project.models.list(runId)]
    .map(({ file }) => file)
    .filter((file) => !isAbsolute(file));
  return [...new Set(files)].map((file) => join(project.dir, file));
}

function requireIdle(project: Project, run: RunRow): void {
  if (activeJobOf(project, run.id) === undefined) return;
  throw new AppError('runs.running', `${run.name} is running. Pause or stop it first.`);
}
