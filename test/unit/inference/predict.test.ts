import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeImage, openImage } from '../../../src-main/datasets/decode.ts';
import { planOutputNames } from '../../../src-main/inference/output-names.ts';
import { pictureRows } from '../../../src-main/inference/picture-rows.ts';
import { predictFolder, type PredictOptions } from '../../../src-main/inference/predict.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';
import type { Progress, RunControl } from '../../../src-main/lib/progress.ts';
import { rednessPredictor, tinyDescription } from './tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-predict-'));
const images = join(folder, 'images');
afterAll(() => rmSync(folder, { recursive: true }));

/** Red right half, dark left half. */
async function halves(path: string, width: number, height: number): Promise<void> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    i % 3 === 0 && Math.floor(i / 3) % width >= width / 2 ? 255 : 0,
  );
  await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path);
}

beforeAll(async () => {
  mkdirSync(join(images, 'b'), { recursive: true });
  await halves(join(images, 'wide.png'), 100, 40);
  await halves(join(images, 'b', 'small.png'), 10, 9);
  writeFileSync(join(images, 'broken.png'), readFileSync(join(images, 'wide.png')).subarray(0, 60));
  writeFileSync(join(images, 'notes.txt'), 'no picture');
});

const model = {
  description: {
    ...tinyDescription,
    classes: tinyDescription.classes.slice(0, 2),
  },
  predictor: rednessPredictor(16),
};

function watch(): RunControl & { notices: string[]; progress: Progress[]; abort: AbortController } {
  const abort = new AbortController();
  const notices: string[] = [];
  const progress: Progress[] = [];
  return {
    abort,
    notices,
    progress,
    signal: abort.signal,
    requested: () => 'none',
    report: (value) => progress.push(value),
    notice: (message) => notices.push(message),
  };
}

function options(outDir: string, more: Partial<PredictOptions> = {}): PredictOptions {
  return { inputs: [images], outDir: join(folder, outDir), ...more };
}

test('a folder becomes masks, overlays, maps and documents; a bad file is told', async () => {
  const control = watch();
  const wanted = options('out', { probabilities: '8bit' });
  const summary = await predictFolder(model, wanted, control);
  expect(summary.predicted.map(({ mask }) => mask)).toEqual([
    'masks/b/small.png',
    'masks/wide.png',
  ]);
  expect(summary.predicted[1]?.classPixels).toEqual([2000, 2000]);
  expect(summary.skipped.map(({ input, code }) => [input, code])).toEqual([
    ['broken.png', 'images.damaged'],
  ]);
  expect(control.notices[0]).toContain('broken.png is damaged');

  const mask = sharp(join(wanted.outDir, 'masks/wide.png'));
  expect((await mask.metadata()).isPalette).toBe(true);
  const pixels = await mask.raw().toBuffer();
  expect([...pixels.subarray(0, 3), ...pixels.subarray(297, 300)]).toEqual([0, 0, 0, 0, 200, 255]);
  expect(existsSync(join(wanted.outDir, 'overlays/b/small.jpg'))).toBe(true);
  expect(existsSync(join(wanted.outDir, 'probabilities/wide_1_cell.png'))).toBe(true);
  const text = (name: string) => readFileSync(join(wanted.outDir, name), 'utf8');
  expect(text('classes.txt')).toContain('1\tcell\t#00c8ff');
  expect(text('areas.csv')).toContain('wide.png,100,40,2000,2000\r\n');
  expect(JSON.parse(text('predictions.json'))).toMatchObject({ model: { name: 'cells' }, kept: 0 });
  expect(control.progress.at(-1)).toMatchObject({ unit: 'image', total: 3 });
});

test('existing masks are refused, kept or replaced, as asked', async () => {
  const once = options('again', { overlays: false });
  await predictFolder(model, once, watch());
  await expect(predictFolder(model, once, watch())).rejects.toThrow(
    'already holds 2 of these masks',
  );
  const kept = await predictFolder(model, { ...once, existing: 'keep' }, watch());
  expect([kept.predicted.length, kept.kept]).toEqual([0, 2]);
  rmSync(join(once.outDir, 'masks/wide.png'));
  const continued = await predictFolder(model, { ...once, existing: 'keep' }, watch());
  expect([continued.predicted.length, continued.kept]).toEqual([1, 1]);
  const areas = readFileSync(join(once.outDir, 'areas.csv'), 'utf8').trim().split('\r\n');
  expect(areas.map((row) => row.split(',')[0])).toEqual([
    'image',
    'b/small.png',
    'wide.png',
    'wide.png',
  ]);
  const replaced = await predictFolder(model, { ...once, existing: 'replace' }, watch());
  expect(replaced.predicted.length).toBe(2);
});

test('results inside the folder of pictures are not taken for pictures', async () => {
  const inside = options('images/results', { overlays: false });
  await predictFolder(model, inside, watch());
  const again = await predictFolder(model, { ...inside, existing: 'replace' }, watch());
  expect(again.predicted.length).toBe(2);
  rmSync(inside.outDir, { recursive: true });
});

test('cancelling leaves no half-written picture', async () => {
  const control = watch();
  const cancelling = { ...control, report: () => control.abort.abort() };
  const wanted = options('cancelled', { probabilities: 'float32' });
  await expect(predictFolder(model, wanted, cancelling)).rejects.toThrow(CancelledError);
  expect(existsSync(join(wanted.outDir, 'masks/wide.png'))).toBe(false);
});

test('a scaled model predicts at its scale and writes masks at full size', async () => {
  const scaled = { ...model, description: { ...model.description, scale: 0.5 } };
  const wanted = options('scaled', { inputs: [join(images, 'wide.png')] });
  const summary = await predictFolder(scaled, wanted, watch());
  expect(summary.predicted[0]).toMatchObject({
    widthPx: 100,
    heightPx: 40,
    classPixels: [2000, 2000],
  });
  const overlay = await sharp(join(wanted.outDir, 'overlays/wide.jpg')).metadata();
  expect(overlay.width).toBe(50);
});

test('a picture read in pieces equals the picture read at once', async () => {
  const whole = await decodeImage(join(images, 'wide.png'));
  const rows = pictureRows(await openImage(join(images, 'wide.png')), 1, 900);
  const parts = [await rows.read(7), await rows.read(20), await rows.read(13)];
  expect(Buffer.concat(parts).equals(whole.data)).toBe(true);
});

test('names follow the pattern, keep apart and stay inside the folder', () => {
  const inputs = ['a/x.png', 'b/X.png', 'b/x.jpg'].map((relPath) => ({
    path: `/in/${relPath}`,
    relPath,
  }));
  const names = (pattern: string) => planOutputNames(inputs, pattern, 'm1');
  expect(names('{path}').inputs.map((input) => input.outputName)).toEqual(['a/x', 'b/X', 'b/x_2']);
  expect(names('{model}/{folder}-{name}.{ext}').inputs[0]?.outputName).toBe('m1/a-x.png');
  const flat = names('{name}');
  expect(flat.inputs.map((input) => input.outputName)).toEqual(['x', 'X_2', 'x_3']);
  expect(flat.warnings[0]).toBe(
    'b/X.png and a/x.png would both be written as X; the first is written as X_2.',
  );
  expect(() => names('{nick}')).toThrow('{nick} is not known in a file name');
  expect(() => names('../{name}')).toThrow('not a file inside the output folder');
});
