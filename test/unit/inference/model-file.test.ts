import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readOnnxMetadata } from '../../../src-main/graph/onnx-metadata.ts';
import {
  metadataKeys,
  parseDescription,
  type ModelDescription,
} from '../../../src-main/inference/model-description.ts';
import { loadModelFile, writeModelFile } from '../../../src-main/inference/model-file.ts';
import { readModelDescription } from '../../../src-main/inference/model-reader.ts';
import { compilePredictor } from '../../../src-main/inference/segmentation.ts';
import { predictImage } from '../../../src-main/inference/tiles.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { tinyConfig, tinyDescription } from './tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a written model agrees with the network and tells what it is', async () => {
  const path = join(folder, 'cells.onnx');
  const params = segmentationParams(tinyConfig, new Random(1));
  const written = await writeModelFile(path, params, tinyDescription);
  expect(written.maxDifference).toBeLessThanOrEqual(1e-5);
  expect(readdirSync(folder)).toEqual(['cells.onnx']);
  expect(readModelDescription(path)).toEqual(tinyDescription);

  const image = { data: new Uint8Array(90 * 70 * 3).fill(120), widthPx: 90, heightPx: 70 };
  const model = await loadModelFile(path);
  const fromFile = await predictImage(model.predictor, image, { probabilities: true });
  await model.dispose();
  const device = { executor: 'onnxruntime', provider: 'cpu' } as const;
  const options = { tileSizePx: 64, batchSize: 2, device };
  const network = await compilePredictor(tinyConfig, params, options);
  const direct = await predictImage(network.withParams(params), image, { probabilities: true });
  await network.dispose();
  direct.probabilities?.forEach((value, i) => {
    expect(Math.abs(value - (fromFile.probabilities?.[i] ?? 0))).toBeLessThan(1e-5);
  });
});

test('a file of format 1 keeps loading', async () => {
  const model = await loadModelFile(join(import.meta.dirname, 'fixtures/model-format-1.onnx'));
  expect(model.description.classes.map(({ name }) => name)).toEqual([
    'background',
    'cell',
    'debris',
  ]);
  const size = model.predictor.tileSizePx;
  const probabilities = await model.predictor.predict(new Uint8Array(size * size * 3).fill(200));
  // The values that this file gave when it was written.
  expect([...probabilities.subarray(0, 3)].map((value) => value.toFixed(4))).toEqual(
    model.description.license.split(' '),
  );
  await model.dispose();
});

test('files that are no models, or newer ones, are refused in words', async () => {
  const text = join(folder, 'notes.onnx');
  writeFileSync(text, 'This is no model.');
  expect(readOnnxMetadata(Buffer.from('This is no model.'))).toBeUndefined();
  await expect(loadModelFile(text)).rejects.toThrow('is not a model of DeCon Studio');
  await expect(loadModelFile(join(folder, 'absent.onnx'))).rejects.toThrow('Check the path');
  const newer = { [metadataKeys.version]: '2', [metadataKeys.description]: '{}' };
  expect(() => parseDescription(newer, 'x.onnx')).toThrow('newer DeCon Studio (format 2)');
  const broken = { [metadataKeys.version]: '1', [metadataKeys.description]: '{}' };
  expect(() => parseDescription(broken, 'x.onnx')).toThrow('Export the model again');
});

test('a description may have unknown fields, which later versions add', () => {
  const more = { ...tinyDescription, added: 1 } satisfies ModelDescription & { added: number };
  const text = { [metadataKeys.version]: '1', [metadataKeys.description]: JSON.stringify(more) };
  expect(parseDescription(text, 'x.onnx')).toEqual(tinyDescription);
});
