import { closeSync, openSync, readSync } from 'node:fs';
import { AppError, defined } from '../lib/errors.ts';

/** One square of an image as it lies in the cache. */
export interface Tile {
  readonly imageId: string;
  /** Position of the tile's upper left corner in the scaled image. */
  readonly leftPx: number;
  readonly topPx: number;
  /** The valid part, from the upper left corner; the rest of the square is zeros. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Pixels of each class, by class index; absent when the cache has no masks or the image no mask. */
  readonly classPixels?: readonly number[];
}

/** Decoded squares of T x T pixels in one file, read by position. */
export interface TileCache {
  readonly count: number;
  readonly tileSizePx: number;
  readonly scale: number;
  tile(index: number): Tile;
  /** Fills `target`, [indices.length, T, T, 3], RGB 0..255; zero outside the valid part. */
  readImages(indices: ArrayLike<number>, target: Uint8Array): void;
  /** Fills `target`, [indices.length, T, T], class indices; 255 is ignored or outside the valid part. */
  readMasks(indices: ArrayLike<number>, target: Uint8Array): void;
  dispose(): void;
}

/** What a mask holds where nothing counts: no class, no mask, or outside the image. */
export const ignoredClass = 255;

export interface TileCacheFiles {
  readonly images: string;
  readonly masks: string | undefined;
}

/** A cache on disk. One `readSync` per tile goes straight into the caller's buffer. */
export class TileCacheReader implements TileCache {
  readonly tileSizePx: number;
  readonly scale: number;
  readonly #tiles: readonly Tile[];
  readonly #images: number;
  readonly #masks: number | undefined;

  constructor(
    files: TileCacheFiles,
    plan: { readonly tileSizePx: number; readonly scale: number; readonly tiles: readonly Tile[] },
  ) {
    this.tileSizePx = plan.tileSizePx;
    this.scale = plan.scale;
    this.#tiles = plan.tiles;
    this.#images = openSync(files.images, 'r');
    this.#masks = files.masks === undefined ? undefined : openSync(files.masks, 'r');
  }

  get count(): number {
    return this.#tiles.length;
  }

  tile(index: number): Tile {
    return defined(this.#tiles[index], `tile ${index} of ${this.count}`);
  }

  readImages(indices: ArrayLike<number>, target: Uint8Array): void {
    this.#read(this.#images, this.tileSizePx ** 2 * 3, indices, target);
  }

  readMasks(indices: ArrayLike<number>, target: Uint8Array): void {
    const file = defined(this.#masks, 'masks in this tile cache');
    this.#read(file, this.tileSizePx ** 2, indices, target);
  }

  dispose(): void {
    closeSync(this.#images);
    if (this.#masks !== undefined) closeSync(this.#masks);
  }

  #read(file: number, recordBytes: number, indices: ArrayLike<number>, target: Uint8Array): void {
    if (target.byteLength !== indices.length * recordBytes) {
      throw new RangeError(
        `${indices.length} tiles need ${indices.length * recordBytes} bytes, not ${target.byteLength}`,
      );
    }
    for (let i = 0; i < indices.length; i++) {
      const index = defined(indices[i], 'tile index');
      if (!Number.isInteger(index) || index < 0 || index >= this.count) {
        throw new RangeError(`No tile ${index} among ${this.count}`);
      }
      readRecord(
        file,
        index * recordBytes,
        target.subarray(i * recordBytes, (i + 1) * recordBytes),
      );
    }
  }
}

function readRecord(file: number, position: number, target: Uint8Array): void {
  for (let done = 0; done < target.byteLength;) {
    const got = readSync(file, target, done, target.byteLength - done, position + done);
    if (got === 0) {
      throw new AppError(
        'cache.damaged',
        'The cache of decoded images is incomplete. Delete the folder "cache" of the project; it is made again.',
      );
    }
    done += got;
  }
}
