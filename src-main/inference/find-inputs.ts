import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { kindOfName } from '../datasets/file-kind.ts';
import { walkFolder } from '../datasets/walk.ts';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import type { InputFile } from './output-names.ts';

/** What could not be looked at. */
export interface InputProblem {
  readonly input: string;
  readonly code: string;
  readonly message: string;
}

export interface FoundInputs {
  readonly files: readonly InputFile[];
  readonly problems: readonly InputProblem[];
}

/**
 * All pictures among the files and below the folders, but no results of an earlier prediction in
 * `outDir`.
 * @throws AppError `predict.no-pictures`; CancelledError
 */
export async function findInputs(
  inputs: readonly (string | InputFile)[],
  options: { readonly outDir?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<FoundInputs> {
  const except = options.outDir === undefined ? [] : [resolve(options.outDir)];
  const files: InputFile[] = [];
  const problems: InputProblem[] = [];
  for (const input of inputs) {
    throwIfCancelled(options.signal);
    if (typeof input !== 'string') {
      files.push(input);
      continue;
    }
    const root = resolve(input);
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
      files.push({ path: root, relPath: basename(root) });
      continue;
    }
    const found = await walkFolder(root, { signal: options.signal, except });
    const pictures = found.files.filter(({ relPath }) => kindOfName(relPath).type !== 'unknown');
    files.push(...pictures.map(({ relPath }) => ({ path: join(root, relPath), relPath })));
    problems.push(
      ...found.problems.map(({ path, code, message }) => ({ input: path, code, message })),
    );
  }
  if (files.length > 0) return { files, problems };
  const named = inputs.map((input) => (typeof input === 'string' ? input : input.relPath));
  throw new AppError(
    'predict.no-pictures',
    `There are no pictures in ${named.join(', ')}. Choose a folder with JPEG, PNG, TIFF, WebP or GIF files.`,
  );
}
