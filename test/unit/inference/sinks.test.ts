import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { MaskSink, OverlaySink, ProbabilitySink } from '../../../src-main/inference/sinks.ts';
import type { RgbImage } from '../../../src-main/inference/tiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-sinks-'));
afterAll(() => rmSync(folder, { recursive: true }));

const classes = [
  { index: 0, name: 'background', color: '#000000' },
  { index: 1, name: 'nucleus', color: '#00c8ff' },
];
const size = { widthPx: 6, heightPx: 4 };
/** Class 1 in the middle two columns. */
const probabilities = Float32Array.from({ length: 24 * 2 }, (_, i) => {
  const inside = [2, 3].includes((i >> 1) % 6);
  return i % 2 === 1 ? Number(inside) * 0.8 + 0.1 : Number(!inside) * 0.8 + 0.1;
});
const band = {
  topPx: 0,
  rows: 4,
  widthPx: 6,
  probabilities,
  rgb: new Uint8Array(24 * 3).fill(100),
};

test('a mask holds class indices, shows class colors and counts pixels', async () => {
  const path = join(folder, 'mask.png');
  const sink = new MaskSink(path, size, classes);
  await sink.write(band);
  await sink.finish();
  expect(sink.classPixels).toEqual([16, 8]);
  const pixels = await sharp(path).raw().toBuffer();
  expect([...pixels.subarray(0, 9)]).toEqual([0, 0, 0, 0, 0, 0, 0, 200, 255]);
});

test('probabilities are grey levels or exact floats', async () => {
  const png = join(folder, 'p.png');
  const tiff = join(folder, 'p.tif');
  for (const [path, format] of [[png, '8bit'] as const, [tiff, 'float32'] as const]) {
    const sink = new ProbabilitySink(path, size, { classIndex: 1, format });
    await sink.write(band);
    await sink.finish();
  }
  const levels = await sharp(png).extractChannel(0).raw().toBuffer();
  expect([...levels.subarray(0, 3)]).toEqual([26, 26, 229]);
  expect((await sharp(tiff).metadata()).depth).toBe('float');
});

test('an overlay outlines and fills what is not background, and averages when it is large', async () => {
  const saved: RgbImage[] = [];
  const save = (picture: RgbImage) => Promise.resolve(void saved.push(picture));
  for (const maxSidePx of [6, 3]) {
    const sink = new OverlaySink(size, classes, { opacity: 0.5, maxSidePx, save });
    await sink.write(band);
    await sink.finish();
  }
  const [full, half] = saved;
  const row = [...(full?.data.subarray(0, 18) ?? [])];
  expect(row.slice(0, 3)).toEqual([100, 100, 100]);
  expect(row.slice(6, 9)).toEqual([0, 200, 255]); // outline
  expect(row.slice(9, 12)).toEqual([50, 150, 178]); // fill
  expect([half?.widthPx, half?.heightPx]).toEqual([3, 2]);
  expect(half?.data[3]).toBe(25);
});
