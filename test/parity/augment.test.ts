import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileFunction } from '../../src-main/graph/compile.ts';
import type { HostTensor, HostTensors, NamedTensors } from '../../src-main/graph/types.ts';
import { colorMapLength, writeColorMap } from '../../src-main/lib/color-map.ts';
import type { ColorOperation } from '../../src-main/lib/color-map.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { writeBlurMatrix, writeCropMatrix } from '../../src-main/lib/resample.ts';
import {
  applyColorMap,
  cropPlanes,
  normalize,
  resample,
  shiftHue,
  solarize,
  toPlanes,
} from '../../src-main/nn/image-ops.ts';
import { cpuDevices, differences, goldenNote, hasGoldens, readGolden } from './golden.ts';

const height = 48;
const width = 64;

/** One image operation on the source image; `values` are its parameters, as batch inputs. */
interface Operation {
  readonly values: HostTensors;
  readonly apply: (images: Tensor, values: NamedTensors) => Tensor;
}

describe.skipIf(!hasGoldens)(`image operations against 8-bit Pillow${goldenNote}`, () => {
  const golden = hasGoldens ? readGolden('augment.safetensors') : {};
  const get = (name: string): HostTensor => defined(golden[name], name);
  const operations = hasGoldens ? allOperations(get) : {};

  describe.each(cpuDevices)('$executor', (device) => {
    let results: HostTensors = {};
    beforeAll(async () => {
      const inputs: Record<string, HostTensor> = {
        src: { ...get('src'), shape: [1, height, width, 3] },
      };
      for (const [name, { values }] of Object.entries(operations)) {
        for (const [value, tensor] of Object.entries(values)) inputs[`${name}/${value}`] = tensor;
      }
      const compiled = await compileFunction((_, batch) => applyAll(operations, batch), {
        params: {},
        inputs,
        device,
        label: 'image operations',
      });
      const data = Object.entries(inputs).map(([name, tensor]) => [name, tensor.data] as const);
      results = await compiled.run({}, Object.fromEntries(data));
      await compiled.dispose();
    });

    it.each(Object.keys(operations))('%s', (name) => {
      const actual = defined(results[name], name).data;
      const expected = get(name).data;
      const { max, mean } = differences(actual, expected);
      if (name === 'normalized') expect(max).toBeLessThan(1e-5);
      else expect(mean, 'mean difference in levels').toBeLessThanOrEqual(1);
    });
  });
});

/** Results in the layout of the file: interleaved bytes, and planes for the normalised image. */
function applyAll(
  operations: Readonly<Record<string, Operation>>,
  batch: NamedTensors,
): NamedTensors {
  const images = defined(batch['src'], 'src');
  const results: Record<string, Tensor> = {};
  for (const [name, { values, apply }] of Object.entries(operations)) {
    const own: Record<string, Tensor> = {};
    for (const value of Object.keys(values)) own[value] = defined(batch[`${name}/${value}`], name);
    const planes = apply(images, own);
    results[name] = name === 'normalized' ? planes : tf.transpose(planes, [0, 2, 3, 1]);
  }
  return results;
}

function allOperations(get: (name: string) => HostTensor): Readonly<Record<string, Operation>> {
  return {
    ...Object.fromEntries(
      ['a', 'b', 'c'].map((name) => [
        `resized_crop.${name}`,
        crop([...get(`resized_crop.${name}.box`).data], 32),
      ]),
    ),
    hflip: crop([0, 0, height, width]),
    'brightness.0.6': color('brightness', 0.6),
    'brightness.1.4': color('brightness', 1.4),
    'contrast.0.6': color('contrast', 0.6),
    'contrast.1.4': color('contrast', 1.4),
    'saturation.0.8': color('saturation', 0.8),
    'saturation.1.2': color('saturation', 1.2),
    gray: color('saturation', 0),
    'hue.-0.1': hue(-25),
    'hue.0.07': hue(17),
    'blur.0.1': blur(0.1),
    'blur.0.5': blur(0.5),
    'blur.1': blur(1),
    'blur.2': blur(2),
    'solarize.128': onPixels({ flag: tensor([1], [1]) }, (pixels, { flag }) =>
      solarize(pixels, defined(flag, 'flag')),
    ),
    normalized: onPixels({}, normalize),
  };
}

/** A box (top, left, height, width) resized to `size` px; without a size, mirrored as it is. */
function crop(
  [top = 0, left = 0, boxHeight = 0, boxWidth = 0]: number[],
  size?: number,
): Operation {
  const axis = (
    inputSize: number,
    start: number,
    length: number,
    mirrored: boolean,
  ): HostTensor => {
    const outputSize = size ?? inputSize;
    const matrix = new Float32Array(outputSize * inputSize);
    const box = { outputSize, inputSize, start, length, mirrored, filter: 'bicubic' as const };
    writeCropMatrix(matrix, 0, box);
    return tensor(matrix, [1, outputSize, inputSize]);
  };
  return {
    values: {
      rows: axis(height, top, boxHeight, false),
      columns: axis(width, left, boxWidth, size === undefined),
    },
    apply: (images, { rows, columns }) =>
      tf.clipByValue(
        cropPlanes(images, defined(rows, 'rows'), defined(columns, 'columns')),
        0,
        255,
      ),
  };
}

function blur(sigma: number): Operation {
  const axis = (size: number): HostTensor => {
    const matrix = new Float32Array(size * size);
    writeBlurMatrix(matrix, 0, size, sigma);
    return tensor(matrix, [1, size, size]);
  };
  return {
    values: { rows: axis(height), columns: axis(width) },
    apply: (images, { rows, columns }) =>
      resample(toPlanes(images), defined(rows, 'rows'), defined(columns, 'columns')),
  };
}

function color(operation: ColorOperation, factor: number): Operation {
  const map = new Float32Array(colorMapLength);
  writeColorMap(map, 0, operation, factor);
  return onPixels({ map: tensor(map, [1, 3, 4]) }, (pixels, values) =>
    applyColorMap(pixels, defined(values['map'], 'map')),
  );
}

/** Pillow counts a full turn of the hue in 255 steps. */
function hue(steps: number): Operation {
  return onPixels({ turns: tensor([steps / 255], [1]) }, (pixels, { turns }) =>
    shiftHue(pixels, defined(turns, 'turns')),
  );
}

function onPixels(
  values: HostTensors,
  change: (pixels: Tensor, values: NamedTensors) => Tensor,
): Operation {
  return {
    values,
    apply: (images, given) => {
      const pixels = tf.reshape(toPlanes(images), [1, 3, height * width]);
      return tf.reshape(change(pixels, given), [1, 3, height, width]);
    },
  };
}

function tensor(values: ArrayLike<number>, shape: readonly number[]): HostTensor {
  return { shape, dtype: 'float32', data: Float32Array.from(values) };
}
