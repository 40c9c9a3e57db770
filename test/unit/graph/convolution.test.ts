import { conv2d, reshape, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { transpose } from '@tensorflow/tfjs-core';
import { checkOp } from './check-op.ts';

function four(tensor: Tensor): Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape;
  return reshape(tensor, [a, b, c, d]);
}

describe('conv2d and its gradients', () => {
  const cases: [size: number, kernel: number, stride: number, pad: number][] = [
    [6, 3, 1, 1],
    [6, 3, 2, 1],
    [7, 3, 2, 1],
    [5, 3, 1, 0],
    [6, 1, 1, 0],
    [6, 1, 2, 0],
    [7, 1, 2, 0],
    [9, 7, 2, 3],
    [8, 7, 2, 3],
    [6, 2, 2, 0],
    [8, 5, 3, 2],
  ];
  for (const [size, kernel, stride, pad] of cases) {
    it(`size ${size}, kernel ${kernel}, stride ${stride}, pad ${pad}`, async () => {
      await checkOp({
        inputs: [
          [2, size, size + 1, 2],
          [3, 2, kernel, kernel],
        ],
        // Parameters are stored as [out, in, height, width].
        op: (x = x0(), w = x0()) =>
          conv2d(
            four(x),
            four(transpose(w, [2, 3, 1, 0])),
            stride,
            [
              [0, 0],
              [pad, pad],
              [pad, pad],
              [0, 0],
            ],
            'NHWC',
            1,
            'floor',
          ),
        differences: size === 6 && kernel === 3,
      });
    });
  }
});

function x0(): Tensor {
  throw new Error('missing input');
}
