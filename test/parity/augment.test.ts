import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HostTensor } from '../../src-main/graph/types.ts';
import { colorMapLength, writeColorMap } from '../../src-main/lib/color-map.ts';
import type { ColorOperation } from '../../src-main/lib/color-map.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { writeBlurMatrix, writeCropMatrix } from '../../src-main/lib/resample.ts';
import {
  applyColorMap,
  normalize,
  resample,
  shiftHue,
  solarize,
  toPlanes,
} from '../../src-main/nn/image-ops.ts';
import { differences, goldenNote, hasGoldens, readGolden } from './golden.ts';

const height = 48;
const width = 64;

describe.skipIf(!hasGoldens)(`image operations against 8-bit Pillow${goldenNote}`, () => {
  const golden = hasGoldens ? readGolden('augment.safetensors') : {};
  const get = (name: string): HostTensor => defined(golden[name], name);
  const planes = (): tf.Tensor =>
    toPlanes(tf.tensor(Array.from(get('src').data), [1, height, width, 3], 'float32'));
  const pixels = (): tf.Tensor => tf.reshape(planes(), [1, 3, height * width]);

  beforeAll(() => tf.setBackend('cpu'));

  it.each(['a', 'b', 'c'])('resizes crop %s', (name) => {
    const [top = 0, left = 0, cropHeight = 0, cropWidth = 0] = get(`resized_crop.${name}.box`).data;
    const rows = cropMatrix(32, height, top, cropHeight, false);
    const columns = cropMatrix(32, width, left, cropWidth, false);
    const result = tf.clipByValue(resample(planes(), rows, columns), 0, 255);
    expectClose(result, get(`resized_crop.${name}`));
  });

  it('mirrors', () => {
    const rows = cropMatrix(height, height, 0, height, false);
    const columns = cropMatrix(width, width, 0, width, true);
    expectClose(resample(planes(), rows, columns), get('hflip'));
  });

  it.each([
    ['brightness', 0.6, 'brightness.0.6'],
    ['brightness', 1.4, 'brightness.1.4'],
    ['contrast', 0.6, 'contrast.0.6'],
    ['contrast', 1.4, 'contrast.1.4'],
    ['saturation', 0.8, 'saturation.0.8'],
    ['saturation', 1.2, 'saturation.1.2'],
    ['saturation', 0, 'gray'],
  ] satisfies [ColorOperation, number, string][])('changes %s by %d', (operation, factor, name) => {
    const map = new Float32Array(colorMapLength);
    writeColorMap(map, 0, operation, factor);
    expectClose(applyColorMap(pixels(), tf.tensor(map, [1, 3, 4])), get(name));
  });

  it.each([
    [-25, 'hue.-0.1'],
    [17, 'hue.0.07'],
  ])('turns the hue by %d steps of 255', (shift, name) => {
    expectClose(shiftHue(pixels(), tf.tensor1d([shift / 255])), get(name));
  });

  it.each([0.1, 0.5, 1, 2])('blurs with sigma %d', (sigma) => {
    const rows = blurMatrix(height, sigma);
    const columns = blurMatrix(width, sigma);
    expectClose(resample(planes(), rows, columns), get(`blur.${sigma}`));
  });

  it('solarizes', () => {
    expectClose(solarize(pixels(), tf.tensor1d([1])), get('solarize.128'), 1e-4);
  });

  it('normalizes', () => {
    const result = normalize(pixels()).dataSync();
    expect(differences(result, get('normalized').data).max).toBeLessThan(1e-5);
  });
});

function cropMatrix(
  outputSize: number,
  inputSize: number,
  start: number,
  length: number,
  mirrored: boolean,
): tf.Tensor {
  const matrix = new Float32Array(outputSize * inputSize);
  const filter = 'bicubic' as const;
  writeCropMatrix(matrix, 0, { outputSize, inputSize, start, length, mirrored, filter });
  return tf.tensor(matrix, [1, outputSize, inputSize]);
}

function blurMatrix(size: number, sigma: number): tf.Tensor {
  const matrix = new Float32Array(size * size);
  writeBlurMatrix(matrix, 0, size, sigma);
  return tf.tensor(matrix, [1, size, size]);
}

/** The mean difference in levels, planes against the golden's interleaved bytes. */
function expectClose(result: tf.Tensor, expected: HostTensor, tolerance = 1): void {
  const [rows = 0, columns = 0] = expected.shape;
  const interleaved = tf.transpose(tf.reshape(result, [3, rows, columns]), [1, 2, 0]).dataSync();
  expect(differences(interleaved, expected.data).mean).toBeLessThanOrEqual(tolerance);
}
