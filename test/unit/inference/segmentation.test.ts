import { expect, test } from 'vitest';
import { compilePredictor } from '../../../src-main/inference/segmentation.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { tinyConfig } from './tiny.ts';

test('the compiled network agrees with the reference and gives probabilities', async () => {
  const params = segmentationParams(tinyConfig, new Random(1));
  const random = new Random(2);
  const tiles = Uint8Array.from({ length: 2 * 64 * 64 * 3 }, () => random.integer(256));
  const results: Float32Array[] = [];
  for (const executor of ['onnxruntime', 'reference'] as const) {
    const predictor = await compilePredictor(tinyConfig, params, {
      tileSizePx: 64,
      batchSize: 2,
      device: { executor, provider: 'cpu' },
    });
    results.push(await predictor.withParams(params).predict(tiles));
    await predictor.dispose();
  }
  const [compiled = new Float32Array(), reference = new Float32Array()] = results;
  expect(compiled.length).toBe(2 * 64 * 64 * 3);
  let difference = 0;
  compiled.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - (reference[i] ?? 0)));
  });
  expect(difference).toBeLessThan(1e-5);
  expect((compiled[0] ?? 0) + (compiled[1] ?? 0) + (compiled[2] ?? 0)).toBeCloseTo(1, 5);
});

test('half precision moves probabilities little', async () => {
  const params = segmentationParams(tinyConfig, new Random(1));
  const random = new Random(2);
  const tiles = Uint8Array.from({ length: 64 * 64 * 3 }, () => random.integer(256));
  const predict = async (precision: 'single' | 'half') => {
    const predictor = await compilePredictor(tinyConfig, params, {
      tileSizePx: 64,
      batchSize: 1,
      device: { executor: 'onnxruntime', provider: 'cpu' },
      precision,
    });
    const probabilities = await predictor.withParams(params).predict(tiles);
    await predictor.dispose();
    return probabilities;
  };
  const [single, half] = [await predict('single'), await predict('half')];
  const largest = half.reduce((most, value, i) => {
    return Math.max(most, Math.abs(value - (single[i] ?? NaN)));
  }, 0);
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThan(5e-3);
});
