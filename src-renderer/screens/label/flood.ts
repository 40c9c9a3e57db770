import type { PaintSpan } from './paint.ts';
import { nextTask, sliceMs } from './slices.ts';
import { isInside, offsetAt, tileAt, tileRect, tileSide, type Grid, type Point } from './grid.ts';

/** Says whether the pixel at an offset of its tile belongs to the region. */
export type Matcher = (offset: number) => boolean;

export interface FloodOptions {
  readonly grid: Grid;
  readonly start: Point;
  /** Loads what it needs to know of a tile. */
  readonly matcherOf: (tile: number) => Promise<Matcher>;
  /** A larger region is not filled. */
  readonly limitPx: number;
  readonly signal: AbortSignal;
  readonly onProgress: (filledPx: number) => void;
}

/** The pixels of a region, one bit each, tile by tile. */
export interface Region {
  readonly pixels: number;
  readonly tiles: ReadonlyMap<number, Uint8Array>;
}

const tilePixels = tileSide * tileSide;

/**
 * The region of matching pixels around a point, grown across tiles over shared edges. Nothing is
 * painted, so a fill that is ended early leaves no trace.
 * @returns undefined when the region is larger than the limit
 * @throws whatever the signal's reason is, and what `matcherOf` throws
 */
export async function floodRegion(options: FloodOptions): Promise<Region | undefined> {
  const { grid, start, signal } = options;
  const tiles = new Map<number, Uint8Array>();
  const [x, y] = [Math.floor(start.x), Math.floor(start.y)];
  if (!isInside(grid, start)) return { pixels: 0, tiles };
  const waiting = new Map<number, number[]>([[tileAt(grid, x, y), [offsetAt(x, y)]]]);
  let pixels = 0;
  let sliceEnd = performance.now() + sliceMs;
  for (const [tile, seeds] of waiting) {
    waiting.delete(tile);
    const matches = await options.matcherOf(tile);
    signal.throwIfAborted();
    const bits = tiles.get(tile) ?? new Uint8Array(tilePixels / 8);
    tiles.set(tile, bits);
    pixels += growInTile({ grid, tile, bits, matches, waiting }, seeds);
    if (pixels > options.limitPx) return undefined;
    if (performance.now() < sliceEnd) continue;
    options.onProgress(pixels);
    await nextTask();
    sliceEnd = performance.now() + sliceMs;
  }
  return { pixels, tiles };
}

/** Paints every pixel of a region. */
export function paintRegion(grid: Grid, region: Region, paint: PaintSpan): void {
  for (const [tile, bits] of region.tiles) {
    const { left, top } = tileRect(grid, tile);
    for (let row = 0; row < tileSide; row++) {
      let from = -1;
      for (let column = 0; column <= tileSide; column++) {
        const isSet = column < tileSide && hasBit(bits, row * tileSide + column);
        if (isSet && from < 0) from = column;
        if (isSet || from < 0) continue;
        paint(top + row, left + from, left + column);
        from = -1;
      }
    }
  }
}

interface TileWork {
  readonly grid: Grid;
  readonly tile: number;
  readonly bits: Uint8Array;
  readonly matches: Matcher;
  /** Where to go on, by tile. */
  readonly waiting: Map<number, number[]>;
}

/** Grows the region inside one tile, row by row. @returns how many pixels were added */
function growInTile(work: TileWork, seeds: number[]): number {
  const { grid, tile, bits, matches } = work;
  const rect = tileRect(grid, tile);
  const [width, height] = [rect.right - rect.left, rect.bottom - rect.top];
  const isFree = (offset: number): boolean => !hasBit(bits, offset) && matches(offset);
  let added = 0;
  for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) {
    if (!isFree(seed)) continue;
    const row = Math.floor(seed / tileSide);
    const rowStart = row * tileSide;
    let from = seed - rowStart;
    let to = from + 1;
    while (from > 0 && isFree(rowStart + from - 1)) from--;
    while (to < width && isFree(rowStart + to)) to++;
    for (let column = from; column < to; column++) setBit(bits, rowStart + column);
    added += to - from;
    const span = { from, to };
    if (row > 0) seedRow(seeds, rowStart - tileSide, span, isFree);
    if (row + 1 < height) seedRow(seeds, rowStart + tileSide, span, isFree);
    seedNeighbors(work, rect, row, span);
  }
  return added;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** One seed for each run of free pixels beside a span. */
function seedRow(seeds: number[], rowStart: number, span: Span, isFree: Matcher): void {
  let wasFree = false;
  for (let column = span.from; column < span.to; column++) {
    const isNowFree = isFree(rowStart + column);
    if (isNowFree && !wasFree) seeds.push(rowStart + column);
    wasFree = isNowFree;
  }
}

/** Goes on in the tiles that the span touches. */
function seedNeighbors(
  { grid, waiting }: TileWork,
  rect: { readonly left: number; readonly top: number },
  row: number,
  span: Span,
): void {
  const seed = (x: number, y: number): void => {
    if (!isInside(grid, { x, y })) return;
    const tile = tileAt(grid, x, y);
    const seeds = waiting.get(tile);
    if (seeds === undefined) waiting.set(tile, [offsetAt(x, y)]);
    else seeds.push(offsetAt(x, y));
  };
  const y = rect.top + row;
  if (span.from === 0) seed(rect.left - 1, y);
  if (span.to === tileSide) seed(rect.left + tileSide, y);
  if (row !== 0 && row !== tileSide - 1) return;
  const otherY = row === 0 ? y - 1 : y + 1;
  for (let column = span.from; column < span.to; column++) seed(rect.left + column, otherY);
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
}
