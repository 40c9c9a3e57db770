/** Side of a label tile. Tiles at the right and lower border of an image are cut off by it. */
export const labelTilePx = 256;

/** What a label pixel holds where nobody has labelled anything. */
export const notLabelled = 255;

/** A rectangle of a tile, in pixels. */
export interface TileSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** How many tiles cover an image. */
export function tileGrid(image: TileSize): { readonly columns: number; readonly rows: number } {
  return {
    columns: Math.ceil(image.widthPx / labelTilePx),
    rows: Math.ceil(image.heightPx / labelTilePx),
  };
}

/** The size of the tile in column `x` and row `y`: 256 x 256 px, less at the border of the image. */
export function tileSize(image: TileSize, x: number, y: number): TileSize {
  return {
    widthPx: Math.min(labelTilePx, image.widthPx - x * labelTilePx),
    heightPx: Math.min(labelTilePx, image.heightPx - y * labelTilePx),
  };
}

/**
 * Pixels row by row as runs: one byte for the value, then its length as a variable-length integer
 * (seven bits a byte, low bits first, the top bit set on all but the last byte).
 */
export function encodeRuns(pixels: Uint8Array): Uint8Array {
  const runs = new Uint8Array(longestRuns(pixels));
  let at = 0;
  for (let start = 0; start < pixels.length;) {
    const value = pixels[start] ?? notLabelled;
    let end = start + 1;
    while (end < pixels.length && pixels[end] === value) end++;
    at = writeRun(runs, at, value, end - start);
    start = end;
  }
  return runs.slice(0, at);
}

/** The runs of pixels that all hold `value`. */
export function uniformRuns(value: number, pixels: number): Uint8Array {
  const runs = new Uint8Array(6);
  return runs.slice(0, writeRun(runs, 0, value, pixels));
}

/**
 * The pixels of some runs.
 * @throws RangeError when they are not exactly `count` pixels
 */
export function decodeRuns(runs: Uint8Array, count: number): Uint8Array {
  const pixels = new Uint8Array(count);
  let at = 0;
  forEachRun(runs, (value, length) => {
    if (at + length > count) throw wrongLength(at + length, count);
    pixels.fill(value, at, at + length);
    at += length;
  });
  if (at !== count) throw wrongLength(at, count);
  return pixels;
}

/** Calls `visit` for each run, in order. @throws RangeError when the runs end in a length */
export function forEachRun(runs: Uint8Array, visit: (value: number, length: number) => void): void {
  for (let at = 0; at < runs.length;) {
    const value = runs[at++] ?? notLabelled;
    let length = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = runs[at++];
      if (byte === undefined || factor > 2 ** 28) throw new RangeError('Label runs are cut off');
      length += (byte & 127) * factor;
      if (byte < 128) break;
    }
    visit(value, length);
  }
}

/** How many pixels the runs hold of each value. @throws RangeError as decodeRuns */
export function countRuns(runs: Uint8Array, count: number): Map<number, number> {
  const pixels = new Map<number, number>();
  let total = 0;
  forEachRun(runs, (value, length) => {
    pixels.set(value, (pixels.get(value) ?? 0) + length);
    total += length;
  });
  if (total !== count) throw wrongLength(total, count);
  return pixels;
}

/** The same runs with other values; neighbors that become equal are joined. */
export function replaceInRuns(runs: Uint8Array, valueFor: (value: number) => number): Uint8Array {
  const replaced = new Uint8Array(runs.length);
  let at = 0;
  let current = -1;
  let pending = 0;
  forEachRun(runs, (value, length) => {
    const next = valueFor(value);
    if (next === current) {
      pending += length;
      return;
    }
    if (pending > 0) at = writeRun(replaced, at, current, pending);
    current = next;
    pending = length;
  });
  if (pending > 0) at = writeRun(replaced, at, current, pending);
  return replaced.slice(0, at);
}

/** The labelled pixels of `top`, and those of `bottom` where there are none. */
export function runsOver(top: Uint8Array, bottom: Uint8Array, count: number): Uint8Array {
  const pixels = decodeRuns(top, count);
  const below = decodeRuns(bottom, count);
  for (let i = 0; i < count; i++) {
    if (pixels[i] === notLabelled) pixels[i] = below[i] ?? notLabelled;
  }
  return encodeRuns(pixels);
}

/** Runs as text (base64), as they travel between window and main. */
export function runsToText(runs: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < runs.length; at += textPiece) {
    binary += String.fromCharCode(...runs.subarray(at, at + textPiece));
  }
  return btoa(binary);
}

/** @throws an error when the text is not base64 */
export function runsFromText(text: string): Uint8Array {
  const binary = atob(text);
  const runs = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) runs[i] = binary.charCodeAt(i);
  return runs;
}

/** Arguments of one call are limited by the stack. */
const textPiece = 8192;

/** @returns the place after it */
function writeRun(runs: Uint8Array, start: number, value: number, length: number): number {
  let at = start;
  let rest = length;
  runs[at++] = value;
  while (rest >= 128) {
    runs[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  runs[at++] = rest;
  return at;
}

/** Bytes that certainly hold the runs: two for each change of value, and more for long runs. */
function longestRuns(pixels: Uint8Array): number {
  let changes = 1;
  for (let i = 1; i < pixels.length; i++) if (pixels[i] !== pixels[i - 1]) changes++;
  return 2 * changes + Math.ceil(pixels.length / 127) + 5;
}

function wrongLength(found: number, wanted: number): RangeError {
  return new RangeError(`Label runs hold ${found} pixels, not ${wanted}`);
}
