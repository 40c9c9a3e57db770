import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test, vi } from 'vitest';
import { PngWriter, writePng } from '../../../src-main/inference/png-writer.ts';
import type { Rgb } from '../../../src-main/lib/colors.ts';
import { AppError } from '../../../src-main/lib/errors.ts';
import { AtomicFile } from '../../../src-main/lib/files.ts';
import { Random } from '../../../src-main/lib/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-png-'));
afterAll(() => rmSync(folder, { recursive: true }));

const palette: readonly Rgb[] = [
  [0, 0, 0],
  [0, 200, 255],
  [255, 120, 0],
];

function random(length: number, limit: number): Uint8Array {
  const generator = new Random(3);
  return Uint8Array.from({ length }, () => generator.integer(limit));
}

test('an indexed picture decodes to the colors of its indices', async () => {
  const path = join(folder, 'indexed.png');
  const indices = random(37 * 53, 3);
  const writer = new PngWriter(path, { widthPx: 37, heightPx: 53 }, { type: 'indexed', palette });
  for (let y = 0; y < 53; y += 10) await writer.write(indices.subarray(y * 37, (y + 10) * 37));
  await writer.finish();
  const facts = await sharp(path).metadata();
  expect([facts.width, facts.height, facts.isPalette]).toEqual([37, 53, true]);
  const pixels = await sharp(path).raw().toBuffer();
  const expected = Buffer.from([...indices].flatMap((index) => [...(palette[index] ?? [])]));
  expect(pixels.equals(expected)).toBe(true);
});

test('grey and RGB pictures survive, also when they are larger than every buffer', async () => {
  const path = join(folder, 'rgb.png');
  const data = random(700 * 500 * 3, 256);
  await writePng(path, { data, widthPx: 700, heightPx: 500 }, { type: 'rgb' });
  expect((await sharp(path).raw().toBuffer()).equals(data)).toBe(true);
  const grey = join(folder, 'grey.png');
  await writePng(grey, { data, widthPx: 700, heightPx: 1500 }, { type: 'grey' });
  expect((await sharp(grey).extractChannel(0).raw().toBuffer()).equals(data)).toBe(true);
});

test('an unfinished picture leaves no file', async () => {
  const before = readdirSync(folder);
  const writer = new PngWriter(
    join(folder, 'half.png'),
    { widthPx: 4, heightPx: 4 },
    { type: 'grey' },
  );
  await writer.write(new Uint8Array(8));
  await expect(writer.finish()).rejects.toThrow('2 of 4 rows');
  writer.dispose();
  expect(readdirSync(folder)).toEqual(before);
});

test('a disk error rejects the write instead of escaping', async () => {
  const path = join(folder, 'full.png');
  const size = { widthPx: 1000, heightPx: 1000 };
  const writer = new PngWriter(path, size, { type: 'grey' });
  const full = vi.spyOn(AtomicFile.prototype, 'write').mockImplementation(() => {
    throw new AppError('disk.full', 'The disk is full.');
  });
  try {
    await expect(writer.write(random(1e6, 256)).then(() => writer.finish())).rejects.toThrow(
      'The disk is full.',
    );
  } finally {
    full.mockRestore();
    writer.dispose();
  }
});
