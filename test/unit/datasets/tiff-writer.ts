/** One page of an uncompressed TIFF; `data` is interleaved [height, width, channels]. */
export interface TiffPage {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint16Array | Int16Array | Uint32Array | Float32Array;
  /** 1 = grey (black is zero), 2 = RGB. */
  readonly photometric: 1 | 2;
}

const headerBytes = 8;
const shortType = 3;
const longType = 4;

/** An uncompressed little-endian TIFF, because sharp writes neither 16 bits nor odd channel counts. */
export function encodeTiff(pages: readonly TiffPage[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])];
  let offset = headerBytes;
  pages.forEach((page, index) => {
    const part = encodePage(page, offset, index === pages.length - 1);
    parts.push(part);
    offset += part.length;
  });
  return Buffer.concat(parts);
}

function encodePage(page: TiffPage, start: number, isLast: boolean): Buffer {
  const extra = page.channels - (page.photometric === 2 ? 3 : 1);
  const pixels = Buffer.from(page.data.buffer, page.data.byteOffset, page.data.byteLength);
  const perSample: (readonly [tag: number, value: number])[] = [
    [258, page.data.BYTES_PER_ELEMENT * 8],
    [339, sampleFormat(page.data)],
  ];
  const count = extra > 0 ? 12 : 11;
  const tableEnd = start + 2 + count * 12 + 4;
  const blockBytes = page.channels * 2;
  const extraStart = tableEnd + 2 * blockBytes;
  const pixelStart = extraStart + Math.max(0, extra) * 2;
  const end = pixelStart + pixels.length + (pixels.length % 2);
  const out = Buffer.alloc(end - start);
  out.writeUInt16LE(count, 0);
  let entry = 2;
  const add = (tag: number, type: number, values: number, value: number) => {
    out.writeUInt16LE(tag, entry);
    out.writeUInt16LE(type, entry + 2);
    out.writeUInt32LE(values, entry + 4);
    if (type === shortType && values === 1) out.writeUInt16LE(value, entry + 8);
    else out.writeUInt32LE(value, entry + 8);
    entry += 12;
  };
  const addBlock = (tag: number, value: number, values: number, at: number) => {
    if (values <= 2) {
      out.writeUInt16LE(tag, entry);
      out.writeUInt16LE(shortType, entry + 2);
      out.writeUInt32LE(values, entry + 4);
      for (let i = 0; i < values; i++) out.writeUInt16LE(value, entry + 8 + 2 * i);
      entry += 12;
      return;
    }
    for (let i = 0; i < values; i++) out.writeUInt16LE(value, at - start + 2 * i);
    add(tag, shortType, values, at);
  };
  add(256, longType, 1, page.widthPx);
  add(257, longType, 1, page.heightPx);
  addBlock(258, perSample[0]?.[1] ?? 8, page.channels, tableEnd);
  add(259, shortType, 1, 1);
  add(262, shortType, 1, page.photometric);
  add(273, longType, 1, pixelStart);
  add(277, shortType, 1, page.channels);
  add(278, longType, 1, page.heightPx);
  add(279, longType, 1, pixels.length);
  add(284, shortType, 1, 1);
  if (extra > 0) addBlock(338, 0, extra, extraStart);
  addBlock(339, perSample[1]?.[1] ?? 1, page.channels, tableEnd + blockBytes);
  out.writeUInt32LE(isLast ? 0 : end, entry);
  pixels.copy(out, pixelStart - start);
  return out;
}

function sampleFormat(data: TiffPage['data']): number {
  if (data instanceof Float32Array) return 3;
  return data instanceof Int16Array ? 2 : 1;
}
