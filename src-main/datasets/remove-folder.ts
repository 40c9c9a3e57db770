import type { Project } from '../project/project.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { ImportProblem } from './import-types.ts';
import { divideAgain, markDuplicates } from './import-splits.ts';
import { writeProblemsFile } from './problems-file.ts';
import { readLastImport, writeLastImport } from './stored-settings.ts';

/**
 * Takes a folder with its images and labels out of the project and settles what depended on them:
 * copies whose original is gone, and the parts of the others. Source files stay.
 */
export function removeFolder(project: Project, folderId: string): void {
  project.images.removeFolder(folderId);
  const problems: ImportProblem[] = [];
  markDuplicates(project, problems);
  divideAgain(project, problems);
  project.importProblems.replaceGeneral(problems);
  writeProblemsFile(project);
  const last = readLastImport(project);
  if (last !== undefined) {
    writeLastImport(project, { ...last, fingerprint: fingerprintOf(project) });
  }
}
