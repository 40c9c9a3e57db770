import { crc32, deflateSync } from 'node:zlib';

/** What sharp cannot write as told: exact bit depth and palette. */
export interface PngContent {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bits: 1 | 2 | 4 | 8;
  /** Packed rows, without filter bytes; zeros when absent. */
  readonly rows?: Uint8Array;
  /** 0xrrggbb; makes it a palette PNG. */
  readonly palette?: readonly number[];
  readonly comment?: string;
}

/** A grey or palette PNG. */
export function encodePng({
  widthPx,
  heightPx,
  bits,
  rows,
  palette,
  comment,
}: PngContent): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(widthPx, 0);
  header.writeUInt32BE(heightPx, 4);
  header[8] = bits;
  header[9] = palette === undefined ? 0 : 3;
  const rowBytes = Math.ceil((widthPx * bits) / 8);
  const filtered = Buffer.alloc(heightPx * (rowBytes + 1));
  for (let row = 0; rows !== undefined && row < heightPx; row++) {
    filtered.set(rows.subarray(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1);
  }
  const colors = (palette ?? []).flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...(palette === undefined ? [] : [chunk('PLTE', Buffer.from(colors))]),
    ...(comment === undefined ? [] : [chunk('tEXt', Buffer.from(`Comment\0${comment}`, 'latin1'))]),
    chunk('IDAT', deflateSync(filtered, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
