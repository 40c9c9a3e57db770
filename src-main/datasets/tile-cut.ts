import { defined, throwIfCancelled } from '../lib/errors.ts';
import type { ClassMaskReader } from './class-mask.ts';
import { openImage } from './decode.ts';
import type { ImageFacts } from './image-facts.ts';
import { ignoredClass } from './tile-cache.ts';
import type { TilePlace } from './tile-plan.ts';

/** One picture to be cut. */
export interface CutRequest {
  readonly path: string;
  readonly facts: ImageFacts;
  /** Absent when the picture has no mask, or none is wanted. */
  readonly openMask: (() => Promise<ClassMaskReader>) | undefined;
  /** Of the scaled picture. */
  readonly size: { readonly widthPx: number; readonly heightPx: number };
  /** Row by row, from the top. */
  readonly places: readonly TilePlace[];
  readonly tileSizePx: number;
  readonly signal: AbortSignal | undefined;
}

/** A full T x T square; the buffers are used again for the next one. */
export interface CutTile {
  readonly place: TilePlace;
  /** [T, T, 3], zero outside the picture. */
  readonly rgb: Uint8Array;
  /** [T, T], 255 outside the picture or without mask. */
  readonly classes: Uint8Array;
}

const bandBytes = 64e6;

/**
 * Decodes a picture band by band, so that memory does not grow with its height, and yields its tiles
 * in order. Masks are scaled by nearest neighbour, so classes stay classes.
 */
export async function* cutTiles(request: CutRequest): AsyncGenerator<CutTile> {
  const { path, facts, size, tileSizePx } = request;
  const image = await openImage(path, facts);
  const labels = await request.openMask?.();
  const tile = {
    rgb: new Uint8Array(tileSizePx ** 2 * 3),
    classes: new Uint8Array(tileSizePx ** 2).fill(ignoredClass),
  };
  for (const band of bandsOf(request)) {
    throwIfCancelled(request.signal);
    const { topPx, rows } = band;
    const rgb = await image.readScaledRows({ ...size, topPx, rows });
    const classes =
      labels === undefined ? undefined : await readScaledClasses(labels, size, topPx, rows);
    for (const place of band.places) {
      copyPart(rgb, 3, size.widthPx, topPx, place, tile.rgb, tileSizePx);
      if (classes !== undefined) {
        copyPart(classes, 1, size.widthPx, topPx, place, tile.classes, tileSizePx);
      }
      yield { place, ...tile };
    }
  }
}

interface Band {
  readonly topPx: number;
  rows: number;
  readonly places: TilePlace[];
}

/** Joins rows of tiles as long as their pixels fit into a band. */
function bandsOf({ places, size }: CutRequest): Band[] {
  const bands: Band[] = [];
  for (const place of places) {
    const last = bands.at(-1);
    const rows = last === undefined ? 0 : place.topPx + place.heightPx - last.topPx;
    const isSameRow = rows === last?.rows;
    if (last !== undefined && (isSameRow || rows * size.widthPx * 3 <= bandBytes)) {
      last.rows = rows;
      last.places.push(place);
    } else {
      bands.push({ topPx: place.topPx, rows: place.heightPx, places: [place] });
    }
  }
  return bands;
}

/** All tiles of a picture have the same size, so the buffer's padding stays as it was. */
function copyPart(
  source: Uint8Array,
  channels: number,
  sourceWidth: number,
  sourceTop: number,
  place: TilePlace,
  target: Uint8Array,
  tileSizePx: number,
): void {
  const rowBytes = place.widthPx * channels;
  for (let row = 0; row < place.heightPx; row++) {
    const from = ((place.topPx - sourceTop + row) * sourceWidth + place.leftPx) * channels;
    target.set(source.subarray(from, from + rowBytes), row * tileSizePx * channels);
  }
}

/** Rows of the scaled mask: each pixel takes the class at the centre of what it covers. */
async function readScaledClasses(
  mask: ClassMaskReader,
  size: { readonly widthPx: number; readonly heightPx: number },
  topPx: number,
  rows: number,
): Promise<Uint8Array> {
  if (mask.widthPx === size.widthPx && mask.heightPx === size.heightPx) {
    return mask.readRows(topPx, rows);
  }
  const sourceRow = (row: number) => nearest(row, size.heightPx, mask.heightPx);
  const first = sourceRow(topPx);
  const last = sourceRow(topPx + rows - 1);
  const source = await mask.readRows(first, last - first + 1);
  const columns = Array.from({ length: size.widthPx }, (_, x) =>
    nearest(x, size.widthPx, mask.widthPx),
  );
  const scaled = new Uint8Array(rows * size.widthPx);
  for (let row = 0; row < rows; row++) {
    const from = (sourceRow(topPx + row) - first) * mask.widthPx;
    for (let x = 0; x < size.widthPx; x++) {
      const column = defined(columns[x], 'mask column');
      scaled[row * size.widthPx + x] = source[from + column] ?? ignoredClass;
    }
  }
  return scaled;
}

function nearest(position: number, scaledLength: number, length: number): number {
  return Math.min(length - 1, Math.floor(((position + 0.5) * length) / scaledLength));
}
