import { createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs';
import { extname, join, parse } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { kindOfName } from '../datasets/file-kind.ts';
import { AppError } from '../lib/errors.ts';
import { requireFreeSpace } from '../lib/files.ts';
import type { Project } from '../project/project.ts';

/** Larger single images are not dropped but chosen as files. */
export const maxDroppedBytes = 2_000_000_000;

/**
 * Images that were dropped on the page of a browser, which tells contents but no paths. They lie in
 * the cache of the open project until it closes.
 */
export function droppedFolder(project: Project): string {
  return join(project.dir, 'cache', 'dropped');
}

/** Forgets everything that was dropped. */
export function removeDropped(project: Project): void {
  rmSync(droppedFolder(project), { recursive: true, force: true });
}

/**
 * Stores one dropped image in the folder of its drop, under its own name.
 * @throws AppError `drop.bad-name`, `drop.too-large`, `disk.full`
 */
export async function storeDropped(
  project: Project,
  file: { readonly drop: string; readonly name: string; readonly bytes: number },
  content: Readable,
): Promise<{ readonly folder: string; readonly path: string }> {
  requireImageName(file.name);
  if (file.bytes > maxDroppedBytes) {
    throw new AppError(
      'drop.too-large',
      'A dropped image may have 2 GB at most. Choose larger ones with "Choose images" instead.',
    );
  }
  const folder = join(droppedFolder(project), file.drop);
  mkdirSync(folder, { recursive: true });
  requireFreeSpace(folder, file.bytes);
  const path = freePath(folder, file.name);
  try {
    await pipeline(content, createWriteStream(path, { flags: 'wx' }));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return { folder, path };
}

/** @throws AppError `drop.bad-name` for what is no image, or no plain file name */
function requireImageName(name: string): void {
  // eslint-disable-next-line no-control-regex -- exactly these must not be in a name
  const isPlain = /^[^./\\:*?"<>|\x00-\x1f][^/\\:*?"<>|\x00-\x1f]{0,199}$/.test(name);
  if (isPlain && kindOfName(name).type === 'image') return;
  throw new AppError(
    'drop.bad-name',
    'Only images can be dropped here: PNG, JPEG, TIFF, WebP or GIF files.',
  );
}

function freePath(folder: string, name: string): string {
  const stem = parse(name).name;
  for (let i = 1; ; i++) {
    const path = join(folder, i === 1 ? name : `${stem} (${i})${extname(name)}`);
    if (!existsSync(path)) return path;
  }
}
