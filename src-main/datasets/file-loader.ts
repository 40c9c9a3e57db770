import { readFileSync } from 'node:fs';
import { loadFile, type LoadedFile } from './decode.ts';
import { fileError } from './file-errors.ts';

/** Reading larger files at once would hold up everything else for too long. */
const smallBytes = 1e6;
/** A disk in the machine answers faster, one behind a network slower. */
const quickMs = 0.3;

/**
 * Reads one file after another into memory. Small ones are read at once while the disk answers at
 * once, which takes a quarter of the work of reading side by side; on slow disks, where many reads
 * must be under way together, side by side.
 */
export class FileLoader {
  /** Running average of how long a small file took. */
  #usualMs = 0;
  readonly #now: () => number;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the next small file will be read at once. */
  get isQuick(): boolean {
    return this.#usualMs < quickMs;
  }

  /** Reads a file of about `bytes`. @throws AppError `images.missing`, `images.unreadable` */
  async load(path: string, bytes: number): Promise<LoadedFile> {
    if (bytes > smallBytes) return loadFile(path);
    if (this.isQuick) return this.#loadNow(path);
    this.#usualMs *= 0.99; // so that a moment's delay is forgiven after some hundred files
    return loadFile(path);
  }

  #loadNow(path: string): LoadedFile {
    const started = this.#now();
    try {
      const input = readFileSync(path);
      return { path, input, bytes: input.length };
    } catch (cause) {
      throw fileError(cause, path);
    } finally {
      this.#usualMs = 0.9 * this.#usualMs + 0.1 * (this.#now() - started);
    }
  }
}
