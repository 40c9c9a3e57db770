import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { AppError } from '../lib/errors.ts';
import {
  changesName,
  classMapLevels,
  classMapPlanes,
  classMapTilePx,
  factsName,
  notPredicted,
  tileBox,
  tileName,
  type Area,
  type ClassMapFacts,
  type ClassMapPlane,
} from './class-map.ts';

/** The picture that a map is of. */
export interface PictureSize {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Side of a pixel in micrometers, when the picture tells it. */
  readonly pixelSizeUm?: number | undefined;
}

interface OpenTile extends Area {
  readonly data: Uint8Array;
  /** First row of level 0 below it. */
  readonly bottomPx: number;
  isChanged: boolean;
}

/**
 * Writes a class map piece by piece, so that what is ready can be looked at while the rest is made.
 * Every level takes every second pixel of the one below. Memory is one row of squares a level, about
 * `2 * 256 * widthPx` bytes a plane. Files appear whole, without waiting for the disk: a cache.
 */
export class ClassMapWriter {
  readonly #folder: string;
  readonly #size: PictureSize;
  readonly #levels: number;
  /** Squares still being filled, by their path below the folder. */
  readonly #open = new Map<string, OpenTile>();
  #changed: Area[] = [];

  /** Removes what was there. @throws AppError `disk.*` */
  constructor(folder: string, size: PictureSize) {
    this.#folder = folder;
    this.#size = size;
    this.#levels = classMapLevels(size);
    writing(folder, () => {
      rmSync(folder, { recursive: true, force: true });
      for (const plane of classMapPlanes) {
        for (let level = 0; level < this.#levels; level++) {
          mkdirSync(join(folder, plane, String(level)), { recursive: true });
        }
      }
    });
    this.#writeFacts('partial', []);
  }

  /** Takes the values of an area of level 0, row by row. */
  fill(area: Area, planes: Readonly<Record<ClassMapPlane, Uint8Array>>): void {
    for (const plane of classMapPlanes) {
      for (let level = 0; level < this.#levels; level++) {
        this.#fillLevel(plane, level, area, planes[plane]);
      }
    }
    this.#changed.push(area);
  }

  /** Makes everything filled so far visible to readers. */
  flush(): void {
    if (this.#changed.length === 0) return;
    writing(this.#folder, () => {
      for (const [name, tile] of this.#open) {
        if (tile.isChanged) this.#writeTile(name, tile);
      }
      const lines = this.#changed.map(
        ({ leftPx, topPx, widthPx, heightPx }) => `${leftPx} ${topPx} ${widthPx} ${heightPx}\n`,
      );
      appendFileSync(join(this.#folder, changesName), lines.join(''));
    });
    this.#changed = [];
  }

  /** Says that rows above `topPx` of level 0 will not change any more; frees their memory. */
  closeAbove(topPx: number): void {
    this.flush();
    for (const [name, tile] of this.#open) {
      if (tile.bottomPx <= topPx) this.#open.delete(name);
    }
  }

  finish(classPixels: readonly number[]): ClassMapFacts {
    this.flush();
    this.#open.clear();
    return this.#writeFacts('complete', classPixels);
  }

  #fillLevel(plane: ClassMapPlane, level: number, area: Area, values: Uint8Array): void {
    const step = 2 ** level;
    const [left, top] = [Math.ceil(area.leftPx / step), Math.ceil(area.topPx / step)];
    const right = Math.ceil((area.leftPx + area.widthPx) / step);
    const bottom = Math.ceil((area.topPx + area.heightPx) / step);
    for (let y = top; y < bottom; y++) {
      const row = (y * step - area.topPx) * area.widthPx - area.leftPx;
      for (let x = left; x < right;) {
        const tile = this.#tile(plane, level, x, y);
        const end = Math.min(right, tile.leftPx + tile.widthPx);
        const offset = (y - tile.topPx) * tile.widthPx - tile.leftPx;
        for (; x < end; x++) tile.data[offset + x] = values[row + x * step] ?? notPredicted;
        tile.isChanged = true;
      }
    }
  }

  /** The square that holds a pixel of a level. */
  #tile(plane: ClassMapPlane, level: number, x: number, y: number): OpenTile {
    const [column, row] = [Math.floor(x / classMapTilePx), Math.floor(y / classMapTilePx)];
    const name = tileName(plane, level, column, row);
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    const box = tileBox(this.#size, level, column, row);
    const tile = {
      ...box,
      bottomPx: (box.topPx + box.heightPx) * 2 ** level,
      data: new Uint8Array(box.widthPx * box.heightPx).fill(notPredicted),
      isChanged: false,
    };
    this.#open.set(name, tile);
    return tile;
  }

  #writeTile(name: string, tile: OpenTile): void {
    replaceFile(join(this.#folder, name), deflateRawSync(tile.data, { level: 1 }));
    tile.isChanged = false;
  }

  #writeFacts(state: ClassMapFacts['state'], classPixels: readonly number[]): ClassMapFacts {
    const { widthPx, heightPx, pixelSizeUm = null } = this.#size;
    const size = { widthPx, heightPx, pixelSizeUm };
    const facts = { format: 1 as const, ...size, state, classPixels: [...classPixels] };
    writing(this.#folder, () =>
      replaceFile(join(this.#folder, factsName), new TextEncoder().encode(JSON.stringify(facts))),
    );
    return facts;
  }
}

/** A reader sees the old file or the new one. */
function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, bytes);
  renameSync(temporary, path);
}

function writing(folder: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    const isFull = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
    throw new AppError(
      isFull ? 'disk.full' : 'disk.write-failed',
      isFull
        ? `The disk is full; the prediction could not be kept in ${folder}. Free some space and try again.`
        : `The prediction could not be written to ${folder}. Check that the project may be written to.`,
      { cause },
    );
  }
}
