import { dirname } from 'node:path/posix';
import { AppError, messageOf } from '../lib/errors.ts';
import type { GroupBy } from './import-types.ts';

/** The group of an image by its path below the images folder; null is a group of its own. */
export type GroupOf = (relPath: string) => string | null;

/**
 * How images are grouped. By folder, those directly in the images folder stand alone; by pattern,
 * those that do not match do.
 * @throws AppError `groups.bad-pattern`
 */
export function groupFunction(groupBy: GroupBy): GroupOf {
  if (groupBy.type === 'none') return () => null;
  if (groupBy.type === 'folder') {
    return (relPath) => (dirname(relPath) === '.' ? null : dirname(relPath));
  }
  const pattern = compile(groupBy.pattern);
  return (relPath) => pattern.exec(relPath)?.[1] ?? null;
}

function compile(source: string): RegExp {
  let pattern: RegExp;
  let groups: number;
  try {
    pattern = new RegExp(source, 'u');
    groups = (new RegExp(`${source}|`, 'u').exec('')?.length ?? 1) - 1;
  } catch (cause) {
    throw new AppError(
      'groups.bad-pattern',
      `The group pattern "${source}" is not a regular expression (${messageOf(cause)}).`,
      { cause },
    );
  }
  if (groups === 0) {
    throw new AppError(
      'groups.bad-pattern',
      `The group pattern "${source}" has no part in brackets. Put brackets around the part of the ` +
        'name that is the same within a group, for example "^(patient[0-9]+)".',
    );
  }
  return pattern;
}
