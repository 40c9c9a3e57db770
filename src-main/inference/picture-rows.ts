import type { ImageReader } from '../datasets/decode.ts';
import type { RowReader } from './tiles.ts';

/** Decoded bytes held at a time. A larger piece means fewer passes over a compressed file. */
const pieceBytes = 64e6;

/**
 * Reads a picture file from top to bottom at a scale. Compressed files are decoded from their start
 * for every piece of about 64 MB, so a file of n pieces costs about n/2 decodings, little beside the
 * network, and neither memory nor a temporary file grows with the picture. Exceptions are told by
 * the reader: interlaced, progressive or turned pictures are refused above 80 megapixels, and
 * 16-bit pictures are held as a whole only when they are scaled.
 */
export function pictureRows(reader: ImageReader, scale: number, maxBytes = pieceBytes): RowReader {
  const widthPx = Math.max(1, Math.round(reader.widthPx * scale));
  const heightPx = Math.max(1, Math.round(reader.heightPx * scale));
  const rowBytes = widthPx * 3;
  let piece: Uint8Array = new Uint8Array(0);
  let next = 0;
  let decoded = 0;
  return {
    widthPx,
    heightPx,
    read: async (count) => {
      const rows = new Uint8Array(count * rowBytes);
      for (let filled = 0; filled < rows.length;) {
        if (piece.length === 0) {
          const wanted = Math.max(1, Math.floor(maxBytes / rowBytes));
          const pieceRows = Math.min(wanted, heightPx - decoded);
          const window = { widthPx, heightPx, topPx: decoded, rows: pieceRows };
          piece = await reader.readScaledRows(window);
          decoded += pieceRows;
        }
        const part = piece.subarray(0, rows.length - filled);
        rows.set(part, filled);
        filled += part.length;
        piece = piece.subarray(part.length);
      }
      next += count;
      if (next === heightPx) piece = new Uint8Array(0);
      return rows;
    },
  };
}
