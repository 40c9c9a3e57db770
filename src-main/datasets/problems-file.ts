import { writeFileAtomic } from '../lib/files.ts';
import type { ImportProblem } from '../project/import-problems.ts';
import type { Project } from '../project/project.ts';

/** In the project's folder; written by every import. */
export const problemsFileName = 'import-problems.csv';

const rowsPerPage = 5000;

/** Writes everything that an import had to say about files as a table. */
export function writeProblemsFile(project: Project): void {
  const parts = ['\ufefffile,effect,reason,message\r\n']; // Excel takes UTF-8 by the mark only
  for (let offset = 0; ; offset += rowsPerPage) {
    const page = project.importProblems.list({ limit: rowsPerPage, offset });
    parts.push(page.map(rowOf).join(''));
    if (page.length < rowsPerPage) break;
  }
  writeFileAtomic(
    project.path(problemsFileName),
    parts.map((part) => Buffer.from(part)),
  );
}

function rowOf({ path, effect, code, message }: ImportProblem): string {
  return `${[path, effect, code, message].map(cell).join(',')}\r\n`;
}

/** Spreadsheets run cells that begin like a formula; an apostrophe makes them text. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
