import { backend_util } from '@tensorflow/tfjs-core';
import { AppError } from '../../lib/errors.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import { NCHW, OIHW, arranged, placed, type Traced } from '../layout.ts';
import { filterGradientOf } from './filter-gradient.ts';
import { numberPairs, type KernelCall, type KernelTable } from './kernel.ts';
import { paddedWith } from './shape.ts';

/** Geometry of a 2-D convolution or pooling, per axis: height, then width. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
  readonly output: readonly [number, number];
}

/** Reads the geometry of a call from tfjs's own rules for strides and padding. */
export function windowOf(
  call: KernelCall,
  inputShape: readonly number[],
  filterShape: readonly number[],
): Window {
  if (call.attribute('dataFormat') !== undefined && call.text('dataFormat') !== 'NHWC') {
    throw new AppError('graph.unsupported-layout', 'Only NHWC tensors are compiled.');
  }
  const [strideHeight, strideWidth] = call.pair('strides');
  const dilations =
    call.attribute('dilations') === undefined ? ([1, 1] as const) : call.pair('dilations');
  const info = backend_util.computeConv2DInfo(
    four(inputShape),
    four(filterShape),
    [strideHeight, strideWidth],
    [dilations[0], dilations[1]],
    paddingOf(call),
    roundingOf(call),
  );
  const { top, left, bottom, right } = info.padInfo;
  return {
    kernel: [info.filterHeight, info.filterWidth],
    strides: [strideHeight, strideWidth],
    dilations,
    before: [top, left],
    after: [bottom, right],
    output: [info.outHeight, info.outWidth],
  };
}

/** The window as ONNX attributes. */
export function windowAttributes(window: Window) {
  return {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.before, ...window.after],
  };
}

function convolution(call: KernelCall): Traced {
  const [x, filter] = [call.input('x'), call.input('filter')];
  const window = windowOf(call, x.shape, filter.shape);
  const [image, weights] = [arranged(call.graph, x, NCHW), arranged(call.graph, filter, OIHW)];
  return placed(convolved(call.graph, image, weights, windowAttributes(window)), NCHW);
}

/**
 * A convolution in NCHW, written so that three faults of onnxruntime's WebGPU provider (1.30) do no
 * harm. It takes a filter of one pixel that steps by one, and one as large as the image, for a matrix
 * product and forgets the padding behind the image. And it reads beyond the channels where 3 divides
 * their number, 4 does not, and 4 divides the number of filters.
 */
export function convolved(
  graph: GraphBuilder,
  image: Value,
  filter: Value,
  attributes: ReturnType<typeof windowAttributes>,
): Value {
  const { kernel_shape: kernel, strides, pads } = attributes;
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  if ([...kernel, ...strides].every((n) => n === 1)) {
    // Padding in front would be fused into the convolution; behind it, it is the same.
    const product = graph.node('Conv', [image, filter], { ...attributes, pads: [0, 0, 0, 0] });
    return paddedWith(graph, product, [0, 0, top, left], [0, 0, bottom, right]);
  }
  if (graph.provider !== 'webgpu') return graph.node('Conv', [image, filter], attributes);
  const [output = 0, input = 0] = filter.shape;
  const isMisread = input > 3 && input % 3 === 0 && input % 4 !== 0 && output % 4 === 0;
  const channels = isMisread ? 4 - (input % 4) : 0;
  const [wideImage, wideFilter] = [image, filter].map((value) =>
    paddedWith(graph, value, [0, 0, 0, 0], [0, channels, 0, 0]),
  );
  const isProduct = `${kernel}` === `${image.shape.slice(2)}` && top + left === 0;
  if (!isProduct || bottom + right === 0) {
    return graph.node('Conv', [wideImage, wideFilter], attributes);
  }
  // A row of zeros more under the filter, and one more of padding for it. Not by Pad, which would be
  // fused into the convolution.
  const rowShape = graph.integers([output, input + channels, 1, kernel[1]]);
  const zeros = graph.node('Expand', [graph.float(0), rowShape]);
  const higher = graph.node('Concat', [wideFilter, zeros], { axis: 2 });
  return graph.node('Conv', [wideImage, higher], {
    ...attributes,
    kernel_shape: [kernel[0] + 1, kernel[1]],
    pads: [top, left, bottom + 1, right],
  });
}

function filterGradient(call: KernelCall): Traced {
  const [x, dy] = [call.input('x'), call.input('dy')];
  const window = windowOf(call, x.shape, call.numbers('filterShape'));
  return placed(filterGradientOf(call.graph, x, dy, window), OIHW);
}

function four(shape: readonly number[]): [number, number, number, number] {
  const [a = 0, b = 0, c = 0, d = 0] = shape;
  return [a, b, c, d];
}

function paddingOf(call: KernelCall): 'same' | 'valid' | number | ExplicitPadding {
  const pad = call.attribute('pad');
  if (pad === 'same' || pad === 'valid' || typeof pad === 'number') return pad;
  const [, rows = [0, 0], columns = [0, 0]] = numberPairs(pad);
  return [
    [0, 0],
    [rows[0], rows[1]],
    [columns[0], columns[1]],
    [0, 0],
  ];
}

type ExplicitPadding = [[number, number], [number, number], [number, number], [number, number]];

function roundingOf(call: KernelCall): 'floor' | 'round' | 'ceil' | undefined {
  const mode = call.attribute('dimRoundingMode');
  return mode === 'floor' || mode === 'round' || mode === 'ceil' ? mode : undefined;
}

export const convolutionKernels: KernelTable = {
  Conv2D: convolution,
  Conv2DBackpropFilter: filterGradient,
};
