import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { fileError, shown } from './file-errors.ts';

/**
 * Reads a JSON file and checks it.
 * @param what what the file should be, for the sentence when it is not
 * @throws AppError `data.bad-file`, `images.unreadable`, `images.missing`
 */
export async function readJsonFile<T>(
  path: string,
  what: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw fileError(cause, path);
  }
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue);
  throw new AppError(
    'data.bad-file',
    `${shown(path)} is not ${what}: ${issue.message}${place === null ? '' : ` at "${place}"`}. Correct the file and import again.`,
  );
}
