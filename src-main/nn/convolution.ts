import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { withGradient } from './custom-gradient.ts';
import { matrix, rank2, rank4 } from './tensors.ts';

export interface ConvolutionOptions {
  readonly stride?: number;
  /** Zeros on every side; default (kernel - 1) / 2 times the dilation, which keeps the size. */
  readonly padding?: number;
  readonly dilation?: number;
}

/**
 * 2-D convolution without bias: x `[batch, height, width, in]`, weight `[out, in, kh, kw]` as
 * PyTorch stores it, result `[batch, height', width', out]`.
 */
export function convolution(
  x: Tensor4D,
  weight: Tensor,
  options: ConvolutionOptions = {},
): Tensor4D {
  const filter = rank4(tf.transpose(weight, [2, 3, 1, 0])); // [kh, kw, in, out]
  const dilation = options.dilation ?? 1;
  const padding = options.padding ?? ((filter.shape[0] - 1) / 2) * dilation;
  if (dilation === 1) return tf.conv2d(x, filter, options.stride ?? 1, paddings(padding, padding));
  if ((options.stride ?? 1) !== 1) throw new Error('A dilated convolution must have stride 1.');
  return dilatedConvolution(x, filter, padding, dilation);
}

/**
 * x `[rows, in]` times weight `[out, in]` (or `[out, in, 1, 1]`), one big product.
 *
 * Result and gradient are transposed products, in which the few weights come first and the many rows
 * last: onnxruntime multiplies so about a quarter faster, and the transposition is only a change of
 * names there. What follows works channel by channel, in long lines.
 */
export function linear(x: Tensor2D, weight: Tensor): Tensor2D {
  const [outputs = 0] = weight.shape;
  const flat = matrix(weight, [outputs, -1]);
  const result = withGradient(
    [x, flat],
    () => ({
      value: tf.transpose(tf.matMul(flat, x, false, true)),
      saved: [x, flat] as const,
    }),
    (dy, [input, w]) => [
      tf.transpose(tf.matMul(w, rank2(dy), true, true)),
      tf.matMul(rank2(dy), input, true, false),
    ],
  );
  return rank2(result);
}

/** All pixels of maps `[batch, height, width, channels]` as rows `[pixels, channels]`, for `linear`. */
export function pixelRows(map: Tensor4D): Tensor2D {
  const channels = map.shape[3];
  return tf.transpose(matrix(tf.transpose(map, [3, 0, 1, 2]), [channels, -1]));
}

/** The rows of `pixelRows` as maps again, of any number of channels. */
export function rowsAsMap(rows: Tensor2D, [batch, height, width]: readonly number[]): Tensor4D {
  const planes = tf.reshape<tf.Rank.R4>(tf.transpose(rows), [
    -1,
    batch ?? 0,
    height ?? 0,
    width ?? 0,
  ]);
  return tf.transpose(planes, [1, 2, 3, 0]);
}

/**
 * tfjs refuses gradients of dilated convolutions. The input's gradient is the same convolution of
 * the output's gradient with the filter turned by 180 degrees; the filter's is one matrix product
 * per tap, and taps that only ever see padding get zeros.
 */
function dilatedConvolution(
  x: Tensor4D,
  filter: Tensor4D,
  padding: number,
  dilation: number,
): Tensor4D {
  const [kernelHeight, kernelWidth] = filter.shape;
  const convolve = (input: Tensor4D, weights: Tensor4D, pads: Paddings): Tensor4D =>
    tf.conv2d(input, weights, 1, pads, 'NHWC', dilation);
  const result = withGradient(
    [x, filter],
    () => ({ value: convolve(x, filter, paddings(padding, padding)), saved: [x, filter] as const }),
    (dy, [input, weights]) => {
      const turned = turn(rank4(tf.transpose(weights, [0, 1, 3, 2])));
      const pads = paddings(
        dilation * (kernelHeight - 1) - padding,
        dilation * (kernelWidth - 1) - padding,
      );
      return [
        convolve(rank4(dy), turned, pads),
        filterGradient(input, rank4(dy), [kernelHeight, kernelWidth], padding, dilation),
      ];
    },
  );
  return rank4(result);
}

/** Reverses both spatial axes of `[kh, kw, ...]`. */
function turn(filter: Tensor4D): Tensor4D {
  const vertical = tf.gather(filter, descending(filter.shape[0]), 0);
  return tf.gather(vertical, descending(filter.shape[1]), 1);
}

function filterGradient(
  x: Tensor4D,
  dy: Tensor4D,
  kernel: readonly [number, number],
  padding: number,
  dilation: number,
): Tensor4D {
  const [batch, height, width, inputs] = x.shape;
  const [, outHeight, outWidth, outputs] = dy.shape;
  const rows = tf.reshape(dy, [-1, outputs]);
  const padded = tf.pad(x, paddings(padding, padding));
  const taps: Tensor2D[] = [];
  for (let i = 0; i < kernel[0]; i++) {
    for (let j = 0; j < kernel[1]; j++) {
      const [top, left] = [i * dilation, j * dilation];
      const seesImage =
        overlaps(top, outHeight, padding, height) && overlaps(left, outWidth, padding, width);
      const seen = tf.slice(padded, [0, top, left, 0], [batch, outHeight, outWidth, inputs]);
      taps.push(
        seesImage
          ? tf.matMul(rank2(tf.reshape(seen, [-1, inputs])), rank2(rows), true, false)
          : tf.zeros([inputs, outputs]),
      );
    }
  }
  return tf.reshape(tf.stack(taps), [kernel[0], kernel[1], inputs, outputs]);
}

/** Whether a window that starts at `start` of the padded axis meets the `size` real pixels. */
function overlaps(start: number, length: number, padding: number, size: number): boolean {
  return start < padding + size && start + length > padding;
}

function descending(count: number): number[] {
  return Array.from({ length: count }, (_, i) => count - 1 - i);
}

type Paddings = [[number, number], [number, number], [number, number], [number, number]];

function paddings(vertical: number, horizontal: number): Paddings {
  return [
    [0, 0],
    [vertical, vertical],
    [horizontal, horizontal],
    [0, 0],
  ];
}
