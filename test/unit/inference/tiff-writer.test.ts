import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test, vi } from 'vitest';
import { AtomicFile } from '../../../src-main/lib/files.ts';
import { FloatTiffWriter } from '../../../src-main/inference/tiff-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-tiff-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([1, 9])(
  'float values of a picture of %i rows are read back exactly',
  async (heightPx) => {
    const path = join(folder, `values-${heightPx}.tif`);
    const values = Float32Array.from({ length: 13 * heightPx }, (_, i) => i / 7);
    const writer = new FloatTiffWriter(path, { widthPx: 13, heightPx });
    writer.write(values.subarray(0, 13));
    writer.write(values.subarray(13));
    writer.finish();
    const facts = await sharp(path).metadata();
    expect([facts.width, facts.height, facts.channels, facts.depth]).toEqual([
      13,
      heightPx,
      1,
      'float',
    ]);
    const read = readFileSync(path);
    const pixels = new Float32Array(new Uint8Array(read.subarray(-values.byteLength)).buffer);
    expect(pixels).toEqual(values);
  },
);

test('a picture beyond 4 GB gets a BigTIFF header', () => {
  const written: Uint8Array[] = [];
  const write = vi
    .spyOn(AtomicFile.prototype, 'write')
    .mockImplementation((chunk) => void written.push(chunk));
  const writer = new FloatTiffWriter(join(folder, 'big.tif'), {
    widthPx: 40_000,
    heightPx: 40_000,
  });
  write.mockRestore();
  expect(() => writer.finish()).toThrow('got 0 of 1600000000 values');
  writer.dispose();
  const header = Buffer.from(written[0] ?? []);
  expect([header.readUInt16LE(2), header.readUInt16LE(4)]).toEqual([43, 8]);
  expect(Number(header.readBigUInt64LE(8))).toBe(16);
  // The last strip ends where 40,000 rows of 160,000 bytes after the header end.
  const lastOffset = header.readBigUInt64LE(header.length - 40_000 * 8 - 8);
  expect(Number(lastOffset)).toBe(header.length + 39_999 * 160_000);
});
