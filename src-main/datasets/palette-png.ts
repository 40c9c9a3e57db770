import { crc32 } from 'node:zlib';
import { AppError } from '../lib/errors.ts';
import { shown } from './file-errors.ts';

/** The palette of a PNG, as 24-bit colours by index; undefined when the PNG has none. */
export function readPalette(png: Uint8Array): readonly number[] | undefined {
  if (png[colorTypeAt] !== indexedColor) return undefined;
  const chunk = findChunk(png, 'PLTE');
  if (chunk === undefined) return undefined;
  const colors: number[] = [];
  for (let i = chunk.dataAt; i + 2 < chunk.dataAt + chunk.length; i += 3) {
    colors.push(((png[i] ?? 0) << 16) | ((png[i + 1] ?? 0) << 8) | (png[i + 2] ?? 0));
  }
  return colors;
}

/**
 * A copy of a palette PNG whose palette is a grey ramp, so that a decoder that expands palettes
 * returns each pixel's index as its grey level. Transparency and color profile are dropped.
 * @throws AppError `masks.damaged` when the file has no usable palette
 */
export function withIndexPalette(png: Uint8Array, path: string): Uint8Array {
  const palette = findChunk(png, 'PLTE');
  if (palette === undefined) {
    throw new AppError('masks.damaged', `${shown(path)} is a palette PNG without a palette.`);
  }
  const ramp = new Uint8Array(palette.length);
  for (let i = 0; i < ramp.length; i++) ramp[i] = Math.floor(i / 3);
  const parts: Uint8Array[] = [png.subarray(0, signatureBytes)];
  for (const chunk of chunksOf(png)) {
    if (chunk.type === 'PLTE') parts.push(encodeChunk('PLTE', ramp));
    else if (!dropped.has(chunk.type)) parts.push(png.subarray(chunk.at, chunk.end));
  }
  return Buffer.concat(parts);
}

interface Chunk {
  readonly type: string;
  /** Start and end of the whole chunk, with length and checksum. */
  readonly at: number;
  readonly end: number;
  readonly dataAt: number;
  readonly length: number;
}

function* chunksOf(png: Uint8Array): Generator<Chunk> {
  const view = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  for (let at = signatureBytes; at + 12 <= png.length;) {
    const length = view.readUInt32BE(at);
    const end = at + 12 + length;
    yield { type: view.toString('latin1', at + 4, at + 8), at, end, dataAt: at + 8, length };
    at = end;
  }
}

function findChunk(png: Uint8Array, type: string): Chunk | undefined {
  for (const chunk of chunksOf(png)) if (chunk.type === type) return chunk;
  return undefined;
}

function encodeChunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

const signatureBytes = 8;
/** Offset of the color type in the header chunk, which always comes first. */
const colorTypeAt = 25;
const indexedColor = 3;
const dropped: ReadonlySet<string> = new Set(['tRNS', 'iCCP', 'gAMA', 'cHRM', 'sRGB']);
