import { add, matMul } from '@tensorflow/tfjs-core';
import { AppError, defined } from '../lib/errors.ts';
import { compileFunction } from './compile.ts';
import type { Device, HostTensor } from './types.ts';

/**
 * Makes sure that a device gains from half precision: a graphics card that multiplies matrices of
 * 16-bit numbers, which is tried.
 * @throws AppError `device.no-half`
 */
export async function requireHalf(device: Device): Promise<void> {
  if (device.executor !== 'onnxruntime' || device.provider === 'cpu') {
    throw refusal(
      device.provider === 'cpu'
        ? '16-bit numbers help only on a graphics card, and this runs on the CPU.'
        : 'TensorFlow is used with 32-bit numbers only.',
    );
  }
  let sum: number | undefined;
  try {
    sum = await halfProduct(device);
  } catch (cause) {
    throw refusal(
      'This graphics card, or its driver, does not compute with 16-bit numbers.',
      cause,
    );
  }
  if (sum === expectedSum) return;
  throw refusal('This graphics card, or its driver, computes wrong results with 16-bit numbers.');
}

/** One number of a product of small whole numbers, which 16 bits hold exactly. */
async function halfProduct(device: Device): Promise<number | undefined> {
  const matrix: HostTensor = {
    shape: [side, side],
    dtype: 'float32',
    data: Float32Array.from({ length: side * side }, (_, i) => i % 3),
  };
  const params = { matrix, other: matrix };
  const compiled = await compileFunction(
    (tensors) => {
      const [a, b] = [defined(tensors['matrix'], 'matrix'), defined(tensors['other'], 'other')];
      return { sum: matMul(a, add(b, 1)) };
    },
    { params, inputs: {}, device, label: 'half precision', precision: 'half' },
  );
  try {
    return (await compiled.run(params, {}))['sum']?.data[0];
  } finally {
    await compiled.dispose();
  }
}

function refusal(reason: string, cause?: unknown): AppError {
  return new AppError(
    'device.no-half',
    `${reason} Start again with the precision "single", or on another device.`,
    { cause },
  );
}

const side = 8;
/** Of the first row (0 1 2 0 1 2 0 1) and the first column plus 1 (1 3 2 1 3 2 1 3). */
const expectedSum = 0 + 3 + 4 + 0 + 3 + 4 + 0 + 3;
