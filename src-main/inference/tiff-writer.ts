import { AtomicFile } from '../lib/files.ts';

/**
 * Writes a one-channel float32 picture row by row as an uncompressed little-endian TIFF, one strip a
 * row; as BigTIFF when it does not fit 4 GB. Fiji, QuPath and QGIS open both. TIFF 6.0 sections 2
 * and 19, BigTIFF (AWare Systems, 2006).
 */
export class FloatTiffWriter {
  readonly #file: AtomicFile;
  readonly #expectedValues: number;
  #values = 0;

  constructor(path: string, size: { readonly widthPx: number; readonly heightPx: number }) {
    this.#expectedValues = size.widthPx * size.heightPx;
    this.#file = new AtomicFile(path);
    this.#file.write(preamble(size.widthPx, size.heightPx));
  }

  /** Appends values, row-major. */
  write(values: Float32Array): void {
    this.#values += values.length;
    this.#file.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  finish(): void {
    if (this.#values !== this.#expectedValues) {
      throw new Error(`TIFF got ${this.#values} of ${this.#expectedValues} values`);
    }
    this.#file.commit();
  }

  /** Leaves nothing behind when `finish` was not reached. */
  dispose(): void {
    this.#file.dispose();
  }
}

/** Header, directory and strip tables. Sizes are known beforehand, so everything precedes the pixels. */
function preamble(widthPx: number, heightPx: number): Uint8Array {
  const rowBytes = widthPx * 4;
  const big = rowBytes * heightPx > 2 ** 32 - 2 ** 24;
  const offsetBytes = big ? 8 : 4;
  const directoryAt = big ? 16 : 8;
  const entryBytes = big ? 20 : 12;
  const countBytes = big ? 8 : 2;
  const tablesAt = directoryAt + countBytes + FIELD_COUNT * entryBytes + offsetBytes;
  const pixelsAt = tablesAt + 2 * heightPx * offsetBytes;
  const single = heightPx === 1;
  const fields: readonly TiffField[] = [
    [TAGS.imageWidth, LONG, 1, widthPx],
    [TAGS.imageLength, LONG, 1, heightPx],
    [TAGS.bitsPerSample, SHORT, 1, 32],
    [TAGS.compression, SHORT, 1, 1],
    [TAGS.photometric, SHORT, 1, 1],
    [TAGS.stripOffsets, big ? LONG8 : LONG, heightPx, single ? pixelsAt : tablesAt],
    [TAGS.samplesPerPixel, SHORT, 1, 1],
    [TAGS.rowsPerStrip, LONG, 1, 1],
    [
      TAGS.stripByteCounts,
      big ? LONG8 : LONG,
      heightPx,
      single ? rowBytes : tablesAt + heightPx * offsetBytes,
    ],
    [TAGS.sampleFormat, SHORT, 1, 3],
  ];
  const bytes = Buffer.alloc(pixelsAt);
  const offset = (value: number, at: number): void => {
    if (big) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUInt32LE(value, at);
  };
  bytes.write('II', 0, 'latin1');
  bytes.writeUInt16LE(big ? 43 : 42, 2);
  if (big) bytes.writeUInt16LE(8, 4);
  offset(directoryAt, big ? 8 : 4);
  if (big) offset(fields.length, directoryAt);
  else bytes.writeUInt16LE(fields.length, directoryAt);
  fields.forEach(([tag, type, count, value], i) => {
    const at = directoryAt + countBytes + i * entryBytes;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    offset(count, at + 4);
    offset(value, at + 4 + offsetBytes);
  });
  for (let y = 0; y < heightPx; y++) {
    offset(pixelsAt + y * rowBytes, tablesAt + y * offsetBytes);
    offset(rowBytes, tablesAt + (heightPx + y) * offsetBytes);
  }
  return bytes;
}

type TiffField = readonly [tag: number, type: number, count: number, value: number];

const SHORT = 3;
const LONG = 4;
const LONG8 = 16;
const FIELD_COUNT = 10;
const TAGS = {
  imageWidth: 256,
  imageLength: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  sampleFormat: 339,
} as const;
