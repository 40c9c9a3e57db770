import { basename, dirname, extname, posix } from 'node:path';
import { AppError } from '../lib/errors.ts';

/** A picture to predict and where it lies below the folder that was named. */
export interface InputFile {
  /** Absolute. */
  readonly path: string;
  /** With `/`. */
  readonly relPath: string;
}

export interface NamedInput extends InputFile {
  /** Path of its outputs inside `masks/`, `overlays/`..., with `/` and without extension. */
  readonly outputName: string;
}

export interface NamePlan {
  readonly inputs: readonly NamedInput[];
  /** A sentence for each name that two pictures would have shared. */
  readonly warnings: readonly string[];
}

/** What may stand in a name pattern. */
export const namePlaceholders = ['path', 'name', 'folder', 'ext', 'model'] as const;

/**
 * Names the outputs of each picture by a pattern: `{path}` (path below the folder, without
 * extension; the default), `{name}`, `{folder}` (slashes become `_`), `{ext}`, `{model}`. Pictures
 * that would get the same name (also when only upper and lower case differ) keep apart by a number.
 * @throws AppError `predict.names` for an unknown placeholder or a name outside the output folder
 */
export function planOutputNames(
  inputs: readonly InputFile[],
  pattern: string,
  modelName: string,
): NamePlan {
  const taken = new Map<string, InputFile>();
  const warnings: string[] = [];
  const named = inputs.map((input) => {
    const wanted = outputName(input.relPath, pattern, modelName);
    let name = wanted;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${wanted}_${number}`;
    const other = taken.get(wanted.toLowerCase());
    if (other !== undefined) {
      warnings.push(
        `${input.relPath} and ${other.relPath} would both be written as ${wanted}; the first is written as ${name}.`,
      );
    }
    taken.set(name.toLowerCase(), input);
    return { ...input, outputName: name };
  });
  return { inputs: named, warnings };
}

function outputName(relPath: string, pattern: string, modelName: string): string {
  const folder = dirname(relPath) === '.' ? '' : dirname(relPath);
  const extension = extname(relPath);
  const values: Readonly<Record<string, string>> = {
    path: relPath.slice(0, relPath.length - extension.length),
    name: basename(relPath, extension),
    folder: folder.replaceAll('/', '_'),
    ext: extension.slice(1),
    model: modelName.replaceAll(/[\\/]/g, '_'),
  };
  const filled = pattern.replaceAll(/\{(\w*)\}/g, (whole, key: string) => {
    const value = values[key];
    if (value !== undefined) return value;
    const known = namePlaceholders.map((name) => `{${name}}`).join(', ');
    throw new AppError('predict.names', `${whole} is not known in a file name. Use ${known}.`);
  });
  const name = posix.normalize(filled);
  if (name === '.' || name.endsWith('/') || posix.isAbsolute(name) || name.startsWith('..')) {
    throw new AppError(
      'predict.names',
      `The name pattern "${pattern}" gives "${filled}", which is not a file inside the output folder. Change the pattern.`,
    );
  }
  return name;
}
