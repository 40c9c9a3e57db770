import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
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
  const path = join(folder, 'big.tif');
  const writer = new FloatTiffWriter(path, { widthPx: 40_000, heightPx: 40_000 });
  expect(() => writer.finish()).toThrow('got 0 of 1600000000 values');
  writer.dispose();
});
