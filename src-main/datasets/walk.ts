import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { fileError, shown } from './file-errors.ts';
import type { ImportProblem } from './import-types.ts';

/** A regular file below a folder. */
export interface FoundFile {
  /** Below the folder, with `/`. */
  readonly relPath: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface WalkResult {
  /** Sorted by path. */
  readonly files: readonly FoundFile[];
  /** What could not be entered or looked at. */
  readonly problems: readonly ImportProblem[];
}

export interface WalkOptions {
  /** Absolute paths of folders that are left out, e.g. the masks. */
  readonly except?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onFound?: (count: number) => void;
}

/**
 * Lists all files below a folder, following links but never into a loop. Hidden files, `.decon`
 * project folders and what computers leave behind (`Thumbs.db`, `__MACOSX`) are left out.
 * @throws AppError `images.missing`, `images.unreadable` when the folder itself cannot be read
 */
export async function walkFolder(root: string, options: WalkOptions = {}): Promise<WalkResult> {
  const except = new Set(await Promise.all((options.except ?? []).map(realPathOr)));
  const files: FoundFile[] = [];
  const problems: ImportProblem[] = [];
  const fault = (path: string, error: AppError) =>
    problems.push({ path, code: error.code, message: error.message, effect: 'skipped' });

  const entered = new Set<string>();
  const linkedFolders: { readonly relPath: string; readonly ancestors: ReadonlySet<string> }[] = [];

  const visit = async (relFolder: string, entry: Dirent, ancestors: ReadonlySet<string>) => {
    const relPath = relFolder === '' ? entry.name : `${relFolder}/${entry.name}`;
    let facts: Stats;
    try {
      facts = await stat(join(root, relPath));
    } catch (cause) {
      fault(relPath, fileError(cause, relPath));
      return;
    }
    if (facts.isFile()) {
      files.push({ relPath, bytes: facts.size, modifiedMs: Math.trunc(facts.mtimeMs) });
      options.onFound?.(files.length);
    } else if (facts.isDirectory()) {
      if (entry.isSymbolicLink()) linkedFolders.push({ relPath, ancestors });
      else await enter(relPath, ancestors);
    }
  };

  const enter = async (relFolder: string, ancestors: ReadonlySet<string>) => {
    throwIfCancelled(options.signal);
    const real = await realPathOr(join(root, relFolder));
    if (except.has(real)) return;
    if (entered.has(real)) {
      fault(relFolder, repeated(relFolder, ancestors.has(real)));
      return;
    }
    entered.add(real);
    let entries: Dirent[];
    try {
      entries = await readdir(join(root, relFolder), { withFileTypes: true });
    } catch (cause) {
      if (relFolder === '') throw fileError(cause, root);
      fault(relFolder, fileError(cause, relFolder));
      return;
    }
    const inside = new Set([...ancestors, real]);
    for (const entry of entries) {
      if (!isLeftOut(entry.name)) await visit(relFolder, entry, inside);
    }
  };

  await enter('', new Set());
  // Linked folders come last, so that a folder is known by its own place when it has one here.
  for (let link = linkedFolders.shift(); link !== undefined; link = linkedFolders.shift()) {
    await enter(link.relPath, link.ancestors);
  }
  files.sort((a, b) => (a.relPath < b.relPath ? -1 : 1));
  return { files, problems };
}

function repeated(relFolder: string, isLoop: boolean): AppError {
  const name = shown(relFolder);
  return isLoop
    ? new AppError(
        'images.link-loop',
        `${name} is a link to a folder that it lies in; it was not entered again.`,
      )
    : new AppError(
        'images.linked-twice',
        `${name} is a link to a folder that was already read; it was not read again.`,
      );
}

function isLeftOut(name: string): boolean {
  return name.startsWith('.') || name.endsWith('.decon') || leftBehind.has(name);
}

async function realPathOr(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

const leftBehind: ReadonlySet<string> = new Set(['Thumbs.db', 'desktop.ini', '__MACOSX', '@eaDir']);
