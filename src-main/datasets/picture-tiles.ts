import { openPixels } from './pixels.ts';
import { openImage } from './decode.ts';
import { encodeTile, type RgbPicture } from './encode.ts';
import { uprightSize } from './image-facts.ts';
import { ByteCache } from '../lib/byte-cache.ts';
import { defined } from '../lib/errors.ts';
import { decodeError } from './file-errors.ts';
import { keptTile } from './picture-pyramid.ts';
import type { PictureSource } from './picture-thumbnail.ts';
import { scaleRgb } from './encode.ts';

/** Side of the squares that large pictures are shown by. */
export const tileSidePx = 256;

/** Pictures up to this size are kept in memory; larger ones are cut up on the disk once. */
const maxHeldBytes = 150e6;
const held = new ByteCache<RgbPicture>(320e6, ({ data }) => data.length);

export interface TileRequest {
  /** The picture is made smaller by 2^level. */
  readonly level: number;
  /** Column and row of the square. */
  readonly x: number;
  readonly y: number;
  /** The 8-bit levels that are shown as black and white. */
  readonly low: number;
  readonly high: number;
}

/**
 * One square of a picture as a PNG, smaller at its right and lower edge. Sizes of smaller versions
 * are rounded up.
 * @throws AppError `images.*`, `disk.*`
 */
export async function pictureTile(
  source: PictureSource,
  cacheFolder: string,
  request: TileRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { low, high } = request;
  const isAsItIs = low === 0 && high === 255;
  const { widthPx, heightPx } = uprightSize(source.facts);
  if (widthPx * heightPx * 3 > maxHeldBytes) {
    const png = await keptTile(source, cacheFolder, request, signal);
    return isAsItIs ? png : encodeTile(stretch(await decodeTile(png, source.path), low, high));
  }
  const tile = cutSquare(await heldLevel(source, request.level), request);
  return encodeTile(isAsItIs ? tile : stretch(tile, low, high));
}

/** Each smaller version is made from the next larger one; JPEG decodes to small sizes by itself. */
function heldLevel(source: PictureSource, level: number): Promise<RgbPicture> {
  return held.get(`${source.sha256} ${level}`, async () => {
    const size = levelSize(uprightSize(source.facts), level);
    if (level === 0 || source.facts.format === 'jpeg') {
      const image = await openImage(source.path, source.facts);
      const data = await image.readScaledRows({ ...size, topPx: 0, rows: size.heightPx });
      return { data, ...size };
    }
    return scaleRgb(await heldLevel(source, level - 1), size);
  });
}

/** The size of a picture made smaller by 2^level. */
export function levelSize(
  size: { readonly widthPx: number; readonly heightPx: number },
  level: number,
): { readonly widthPx: number; readonly heightPx: number } {
  return {
    widthPx: Math.ceil(size.widthPx / 2 ** level),
    heightPx: Math.ceil(size.heightPx / 2 ** level),
  };
}

function cutSquare(
  { data, widthPx, heightPx }: RgbPicture,
  { x, y }: Pick<TileRequest, 'x' | 'y'>,
): RgbPicture {
  const left = x * tileSidePx;
  const top = y * tileSidePx;
  const columns = Math.min(tileSidePx, widthPx - left);
  const rows = Math.min(tileSidePx, heightPx - top);
  const square = new Uint8Array(columns * rows * 3);
  for (let row = 0; row < rows; row++) {
    const from = ((top + row) * widthPx + left) * 3;
    square.set(data.subarray(from, from + columns * 3), row * columns * 3);
  }
  return { data: square, widthPx: columns, heightPx: rows };
}

/** Shows `low` as black and `high` as white; only for looking, nothing learns from it. */
function stretch(picture: RgbPicture, low: number, high: number): RgbPicture {
  const span = Math.max(1, high - low);
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => ((value - low) / span) * 255);
  return { ...picture, data: picture.data.map((value) => defined(table[value], 'level')) };
}

async function decodeTile(png: Uint8Array, path: string): Promise<RgbPicture> {
  try {
    const { data, info } = await openPixels(png).raw().toBuffer({ resolveWithObject: true });
    return { data, widthPx: info.width, heightPx: info.height };
  } catch (cause) {
    throw decodeError(cause, path);
  }
}
