import { finished } from 'node:stream/promises';
import { crc32, createDeflate, type Deflate } from 'node:zlib';
import type { Rgb } from '../lib/colors.ts';
import { AtomicFile } from '../lib/files.ts';

/** What a sample means: an index into a color table, a grey value, or three color values. */
export type PngKind =
  | { readonly type: 'indexed'; readonly palette: readonly Rgb[] }
  | { readonly type: 'grey' }
  | { readonly type: 'rgb' };

/**
 * Writes an 8-bit PNG row by row, so that a picture of any height needs a few hundred kilobytes.
 * The file appears under its name only after `finish`. PNG specification, third edition (W3C 2025).
 */
export class PngWriter {
  readonly #file: AtomicFile;
  readonly #deflate: Deflate;
  readonly #rowBytes: number;
  readonly #expectedRows: number;
  #rows = 0;

  constructor(path: string, size: { widthPx: number; heightPx: number }, kind: PngKind) {
    this.#rowBytes = size.widthPx * (kind.type === 'rgb' ? 3 : 1);
    this.#expectedRows = size.heightPx;
    this.#file = new AtomicFile(path);
    this.#file.write(SIGNATURE);
    this.#writeChunk('IHDR', header(size.widthPx, size.heightPx, COLOR_TYPES[kind.type]));
    if (kind.type === 'indexed') this.#writeChunk('PLTE', Uint8Array.from(kind.palette.flat()));
    this.#deflate = createDeflate({ level: 6, chunkSize: 1 << 16 });
    // A full disk must reject the pending `write` or `finish`, not escape from the event.
    this.#deflate.on('error', () => undefined);
    this.#deflate.on('data', (data: Uint8Array) => {
      try {
        this.#writeChunk('IDAT', data);
      } catch (error) {
        this.#deflate.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Appends whole rows. */
  async write(rows: Uint8Array): Promise<void> {
    const count = rows.length / this.#rowBytes;
    this.#rows += count;
    // Each row is preceded by its filter; 0 (none) is what the specification advises for indices.
    const filtered = new Uint8Array(count * (this.#rowBytes + 1));
    for (let y = 0; y < count; y++) {
      const row = rows.subarray(y * this.#rowBytes, (y + 1) * this.#rowBytes);
      filtered.set(row, y * (this.#rowBytes + 1) + 1);
    }
    await new Promise<void>((resolve, reject) => {
      this.#deflate.write(filtered, (error) => (error ? reject(error) : resolve()));
    });
  }

  async finish(): Promise<void> {
    if (this.#rows !== this.#expectedRows) {
      throw new Error(`PNG got ${this.#rows} of ${this.#expectedRows} rows`);
    }
    this.#deflate.end();
    await finished(this.#deflate);
    this.#writeChunk('IEND', new Uint8Array(0));
    this.#file.commit();
  }

  /** Leaves nothing behind when `finish` was not reached. */
  dispose(): void {
    this.#deflate.destroy();
    this.#file.dispose();
  }

  #writeChunk(type: string, data: Uint8Array): void {
    const name = Buffer.from(type, 'latin1');
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    name.copy(frame, 4);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(data, crc32(name)), 0);
    this.#file.write(frame);
    this.#file.write(data);
    this.#file.write(check);
  }
}

/** Writes a whole 8-bit picture as PNG. */
export async function writePng(
  path: string,
  image: { readonly data: Uint8Array; readonly widthPx: number; readonly heightPx: number },
  kind: PngKind,
): Promise<void> {
  const writer = new PngWriter(path, image, kind);
  try {
    await writer.write(image.data);
    await writer.finish();
  } finally {
    writer.dispose();
  }
}

function header(widthPx: number, heightPx: number, colorType: number): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(widthPx, 0);
  data.writeUInt32BE(heightPx, 4);
  data.writeUInt8(8, 8);
  data.writeUInt8(colorType, 9);
  return data;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOR_TYPES = { grey: 0, rgb: 2, indexed: 3 } as const;
