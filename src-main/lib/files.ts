import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from './errors.ts';

/**
 * Writes a file so that a crash leaves either the old or the new one: temporary name in the same
 * folder, fsync, rename, fsync of the folder.
 * @throws AppError `disk.full`, `disk.write-failed`
 */
export function writeFileAtomic(path: string, chunks: Iterable<Uint8Array>): void {
  const file = new AtomicFile(path);
  try {
    for (const chunk of chunks) file.write(chunk);
    file.commit();
  } finally {
    file.dispose();
  }
}

/** Left free for the database and the system, in bytes. */
const reserveBytes = 50e6;

/**
 * Looks before something large is written, so that a full disk is told while nothing is half done.
 * @throws AppError `disk.full`
 */
export function requireFreeSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes + reserveBytes) return;
  const inMb = (value: number): string => `${Math.ceil(value / 1e6)} MB`;
  throw new AppError(
    'disk.full',
    `${inMb(bytes)} are to be written to ${folder}, but only ${inMb(free)} are free. ` +
      'Nothing was lost; free some space and continue.',
  );
}

/**
 * A file that is written piece by piece and appears under its name only on `commit`. `dispose`
 * without `commit` leaves nothing behind.
 * @throws AppError `disk.full`, `disk.write-failed`
 */
export class AtomicFile {
  readonly #path: string;
  readonly #temporary: string;
  #file: number | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.${process.pid}.tmp`;
    this.#attempt(() => (this.#file = openSync(this.#temporary, 'w')));
  }

  write(chunk: Uint8Array): void {
    this.#attempt(() => writeAll(this.#opened(), chunk));
  }

  commit(): void {
    this.#attempt(() => {
      fsyncSync(this.#opened());
      this.#close();
      renameSync(this.#temporary, this.#path);
      syncFolder(dirname(this.#path));
    });
  }

  dispose(): void {
    if (this.#file === undefined) return;
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #opened(): number {
    if (this.#file === undefined) throw new Error(`${this.#path} is already closed`);
    return this.#file;
  }

  #close(): void {
    const file = this.#opened();
    this.#file = undefined;
    closeSync(file);
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.dispose();
      rmSync(this.#temporary, { force: true });
      throw writeError(this.#path, cause);
    }
  }
}

function writeError(path: string, cause: unknown): AppError {
  const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
  return full
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
