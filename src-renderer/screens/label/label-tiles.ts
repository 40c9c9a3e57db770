import type { LabelTile } from '../../../src-main/contract/labels.ts';
import {
  decodeRuns,
  encodeRuns,
  runsFromText,
  runsToText,
} from '../../../src-main/contract/label-runs.ts';
import { notLabelled, tileRect, tileSide, type Grid } from './grid.ts';

/** Tiles as main sends them: cut off at the border of the image, and by column and row. */
export function tilesFromMain(grid: Grid, tiles: readonly LabelTile[]): Map<number, Uint8Array> {
  return new Map(
    tiles.map(({ x, y, runs }) => {
      const tile = y * grid.columns + x;
      return [tile, unpacked(grid, tile, runs)] as const;
    }),
  );
}

/** A whole tile as main takes it. */
export function tileForMain(grid: Grid, tile: number, pixels: Uint8Array): LabelTile {
  const { x, y } = tilePlace(grid, tile);
  const { left, top, right, bottom } = tileRect(grid, tile);
  const width = right - left;
  const height = bottom - top;
  if (width === tileSide) {
    const runs = runsToText(encodeRuns(pixels.subarray(0, height * tileSide)));
    return { x, y, runs };
  }
  const packed = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    packed.set(pixels.subarray(row * tileSide, row * tileSide + width), row * width);
  }
  return { x, y, runs: runsToText(encodeRuns(packed)) };
}

/** Column and row of a tile. */
export function tilePlace(grid: Grid, tile: number): { readonly x: number; readonly y: number } {
  return { x: tile % grid.columns, y: Math.floor(tile / grid.columns) };
}

function unpacked(grid: Grid, tile: number, text: string): Uint8Array {
  const { left, top, right, bottom } = tileRect(grid, tile);
  const width = right - left;
  const packed = decodeRuns(runsFromText(text), width * (bottom - top));
  if (packed.length === tileSide * tileSide) return packed;
  const pixels = new Uint8Array(tileSide * tileSide).fill(notLabelled);
  for (let row = 0; row < bottom - top; row++) {
    pixels.set(packed.subarray(row * width, (row + 1) * width), row * tileSide);
  }
  return pixels;
}
