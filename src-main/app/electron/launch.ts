import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * The project that a command line names: a `.decon` folder, or the database in one, as file managers
 * hand them over. Our own words come after the program's (and, unpackaged, the script's).
 */
export function projectOfArguments(
  words: readonly string[],
  options: { readonly isPackaged: boolean; readonly folder: string },
): string | undefined {
  return words
    .slice(options.isPackaged ? 1 : 2)
    .filter((word) => !word.startsWith('-'))
    .map((word) => projectAt(resolve(options.folder, word)))
    .find((dir) => dir !== undefined);
}

/** The project folder at a path that was opened; undefined when there is none. */
export function projectAt(path: string): string | undefined {
  const dir = basename(path) === 'project.sqlite' ? dirname(path) : path;
  return existsSync(join(dir, 'project.sqlite')) ? dir : undefined;
}
