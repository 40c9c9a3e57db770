import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from './errors.ts';

/**
 * Writes a file so that a crash leaves either the old or the new one: temporary name in the same
 * folder, fsync, rename, fsync of the folder.
 * @throws AppError `disk.full`, `disk.write-failed`
 */
export function writeFileAtomic(path: string, chunks: Iterable<Uint8Array>): void {
  const temporary = `${path}.${process.pid}.tmp`;
  let file: number | undefined;
  try {
    file = openSync(temporary, 'w');
    for (const chunk of chunks) writeAll(file, chunk);
    fsyncSync(file);
    closeSync(file);
    file = undefined;
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    if (file !== undefined) closeSync(file);
    rmSync(temporary, { force: true });
    const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
    throw full
      ? new AppError(
          'disk.full',
          `The disk is full; ${path} could not be written. Free some space and continue.`,
          { cause },
        )
      : new AppError(
          'disk.write-failed',
          `${path} could not be written. Check that the folder exists and may be written to.`,
          { cause },
        );
  }
}

function writeAll(file: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.byteLength;) {
    done += writeSync(file, chunk, done, chunk.byteLength - done);
  }
}

/** Makes a rename durable; Windows has no folder handles to sync. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
