import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, resolve } from 'node:path';
import type { Place } from '../contract/values.ts';
import { AppError } from '../lib/errors.ts';

/**
 * Folders and files that the user chose or was shown. The window only ever learns their ids; an id
 * that was not handed out by this program leads nowhere.
 */
export class Places {
  readonly #paths = new Map<string, string>();

  /** The place of a path; the same path gets the same id. */
  add(path: string): Place {
    const full = resolve(path);
    const placeId = createHash('sha256').update(full).digest('hex').slice(0, 24);
    this.#paths.set(placeId, full);
    return {
      placeId,
      name: basename(full) || full,
      shown: withTilde(full),
      kind: isFolder(full) ? 'folder' : 'file',
    };
  }

  /** @throws AppError `places.unknown` */
  pathOf(placeId: string): string {
    const path = this.#paths.get(placeId);
    if (path !== undefined) return path;
    throw new AppError(
      'places.unknown',
      'This folder was chosen in an earlier session. Choose it again.',
    );
  }
}

/** A path as people write it: the home folder is `~`. */
export function withTilde(path: string): string {
  const home = homedir();
  return path === home || path.startsWith(`${home}/`) || path.startsWith(`${home}\\`)
    ? `~${path.slice(home.length)}`
    : path;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
