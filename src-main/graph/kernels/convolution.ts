import { backend_util } from '@tensorflow/tfjs-core';
import { AppError } from '../../lib/errors.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import { NCHW, OIHW, arranged, inOrder, placed, reshapedTo, type Traced } from '../layout.ts';
import { filterGradientOf } from './filter-gradient.ts';
import { numberPairs, type KernelCall, type KernelTable } from './kernel.ts';
import { cut, paddedWith } from './shape.ts';

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

function inputGradient(call: KernelCall): Traced {
  const filterTraced = call.input('filter');
  const inputShape = call.numbers('inputShape');
  const window = windowOf(call, inputShape, filterTraced.shape);
  const dy = arranged(call.graph, call.input('dy'), NCHW);
  const filter = arranged(call.graph, filterTraced, OIHW);
  const [, height = 0, width = 0] = inputShape;
  return placed(imageGradient(call.graph, dy, filter, window, [height, width]), NCHW);
}

/**
 * dL/dx of a convolution, in NCHW. With stride 1 it is a convolution of dy with the filter turned by
 * 180 degrees. With stride s every residue of the position modulo s sees its own subset of taps: one
 * stride-1 convolution makes the s * s residues as channels, and depth-to-space interleaves them.
 */
export function imageGradient(
  graph: GraphBuilder,
  dy: Value,
  filter: Value,
  window: Window,
  size: readonly [height: number, width: number],
): Value {
  const rows = residuePlan(window, 0, size[0]);
  const columns = residuePlan(window, 1, size[1]);
  const taps = residueFilter(graph, filter, window, rows, columns);
  const residues = convolved(graph, dy, taps, {
    kernel_shape: [rows.size, columns.size],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [rows.before, columns.before, rows.after, columns.after],
  });
  return interleaved(graph, residues, window.strides, size);
}

/** How dL/dx reads dy along one axis: a window of `size` outputs, padded, `count` positions. */
interface ResiduePlan {
  readonly size: number;
  readonly before: number;
  readonly after: number;
  /** For each residue and window place the filter tap, or -1 for none. */
  readonly taps: readonly (readonly number[])[];
}

/**
 * Position m = s j + a of x meets output i through tap k where s i + k - p = m. With r = (a + p) mod s
 * and k = r + s q that is i = j + floor((a + p) / s) - q.
 */
function residuePlan(window: Window, axis: 0 | 1, length: number): ResiduePlan {
  const [stride, padding, kernel] = [
    window.strides[axis],
    window.before[axis],
    window.kernel[axis],
  ];
  const residues = inOrder(stride).map((a) => {
    const first = (a + padding) % stride;
    const base = Math.floor((a + padding) / stride);
    const count = Math.max(0, Math.ceil((kernel - first) / stride));
    return inOrder(count).map((q) => ({ offset: base - q, tap: first + stride * q }));
  });
  const offsets = residues.flat().map(({ offset }) => offset);
  const [low, high] = [Math.min(...offsets), Math.max(...offsets)];
  const size = high - low + 1;
  const positions = Math.ceil(length / stride);
  return {
    size,
    before: -low,
    after: positions - 1 + high - (window.output[axis] - 1),
    taps: residues.map((list) =>
      inOrder(size).map((place) => list.find(({ offset }) => offset === low + place)?.tap ?? -1),
    ),
  };
}

/** The filter of all residues: [in * s * s, out, window height, window width]. */
function residueFilter(
  graph: GraphBuilder,
  filter: Value,
  window: Window,
  rows: ResiduePlan,
  columns: ResiduePlan,
): Value {
  const [out = 0, input = 0] = filter.shape;
  const [height, width] = window.kernel;
  const blocks = rows.taps.length * columns.taps.length;
  const places = rows.size * columns.size;
  const flat = reshapedTo(graph, filter, [out, input, height * width]);
  const swapped = graph.node('Transpose', [flat], { perm: [1, 0, 2] });
  const single = reshapedTo(graph, swapped, [input * out, height * width]);
  const picked = isOnlyTap(window)
    ? single
    : graph.node('Gemm', [single, tapSelection(graph, width, rows, columns)], {
        transA: 0,
        transB: 0,
      });
  const shaped = reshapedTo(graph, picked, [input, out, blocks, places]);
  const ordered = blocks === 1 ? shaped : graph.node('Transpose', [shaped], { perm: [0, 2, 1, 3] });
  return reshapedTo(graph, ordered, [input * blocks, out, rows.size, columns.size]);
}

function isOnlyTap({ kernel, strides }: Window): boolean {
  return `${kernel}` === '1,1' && `${strides}` === '1,1';
}

/**
 * Ones where a tap goes to a block and place: [taps, blocks * places]. A product with it reorders
 * the taps of every filter plane, zeros included, several times faster than a gather.
 */
function tapSelection(
  graph: GraphBuilder,
  width: number,
  rows: ResiduePlan,
  columns: ResiduePlan,
): Value {
  const picks = rows.taps.flatMap((rowTaps) =>
    columns.taps.flatMap((columnTaps) =>
      rowTaps.flatMap((row) =>
        columnTaps.map((column) => (row < 0 || column < 0 ? -1 : row * width + column)),
      ),
    ),
  );
  const taps = Math.max(...rows.taps.flat()) * width + Math.max(...columns.taps.flat()) + 1;
  const selection = new Float32Array(taps * picks.length);
  picks.forEach((tap, target) => {
    if (tap >= 0) selection[tap * picks.length + target] = 1;
  });
  return graph.constant('float32', [taps, picks.length], selection);
}

/** [batch, channels * s * s, h, w] to [batch, channels, height, width], cut to size. */
function interleaved(
  graph: GraphBuilder,
  residues: Value,
  strides: readonly [number, number],
  size: readonly [number, number],
): Value {
  const [down, across] = strides;
  if (down !== across) throw new AppError('graph.unsupported-stride', 'Strides must be equal.');
  const whole =
    down === 1
      ? residues
      : graph.node('DepthToSpace', [residues], { blocksize: down, mode: 'CRD' });
  return cut(graph, whole, [2, 3], [0, 0], size);
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
  Conv2DBackpropInput: inputGradient,
};
