import type { GraphBuilder, Value } from '../ir.ts';
import { NCHW, arranged, placed, reshapedTo, type Traced } from '../layout.ts';
import type { KernelCall, KernelTable } from './kernel.ts';

type Axis = 'height' | 'width';

/** Resizes [batch, channels, height, width] by one matrix an axis: rows of weights, [out, in]. */
function resizedBy(graph: GraphBuilder, x: Value, height: Value, width: Value): Value {
  return graph.node('MatMul', [graph.node('MatMul', [height, x]), width]);
}

/** The linear interpolation weights of an axis, [out, in] row-major, in tfjs's three conventions. */
function linearWeights(from: number, to: number, alignCorners: boolean, halfPixel: boolean) {
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = halfPixel ? (i + 0.5) * scale - 0.5 : i * scale;
    const low = Math.max(0, Math.floor(position));
    const high = Math.min(from - 1, Math.ceil(position));
    const share = Math.max(0, position - low);
    const row = i * from;
    weights[row + low] = (weights[row + low] ?? 0) + 1 - share;
    weights[row + high] = (weights[row + high] ?? 0) + share;
  }
  return weights;
}

function transposedMatrix(weights: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(weights.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = weights[i * columns + j] ?? 0;
  }
  return result;
}

/** The weight matrix of one axis, as the left factor for rows or the right factor for columns. */
function axisMatrix(
  call: KernelCall,
  from: number,
  to: number,
  axis: Axis,
  isGradient: boolean,
): Value {
  const isAligned = call.boolean('alignCorners');
  const weights = linearWeights(from, to, isAligned, call.boolean('halfPixelCenters'));
  // Forward: rows W x, columns x W^T. Backward: rows W^T dy, columns dy W.
  const isFlipped = (axis === 'width') !== isGradient;
  const data = isFlipped ? transposedMatrix(weights, to, from) : weights;
  return call.graph.constant('float32', isFlipped ? [from, to] : [to, from], data);
}

function bilinear(call: KernelCall): Traced {
  const x = arranged(call.graph, call.input('images'), NCHW);
  const [height, width] = call.pair('size');
  const rows = axisMatrix(call, x.shape[2] ?? 0, height, 'height', false);
  const columns = axisMatrix(call, x.shape[3] ?? 0, width, 'width', false);
  return placed(resizedBy(call.graph, x, rows, columns), NCHW);
}

function bilinearGradient(call: KernelCall): Traced {
  const { shape } = call.input('images');
  const dy = arranged(call.graph, call.input('dy'), NCHW);
  const rows = axisMatrix(call, shape[1] ?? 0, dy.shape[2] ?? 0, 'height', true);
  const columns = axisMatrix(call, shape[2] ?? 0, dy.shape[3] ?? 0, 'width', true);
  return placed(resizedBy(call.graph, dy, rows, columns), NCHW);
}

/** Nearest neighbor by whole factors: each pixel repeated. Other factors are not traced. */
function nearest(call: KernelCall): Traced {
  const x = arranged(call.graph, call.input('images'), NCHW);
  const [height, width] = call.pair('size');
  const [down, across] = wholeFactors(call, x, height, width);
  const [batch = 0, channels = 0, rows = 0, columns = 0] = x.shape;
  if (call.graph.provider === 'cpu') {
    // Four times faster there than expanding, which copies number by number: wider by a product
    // with a matrix of 0 and 1, then every row several times.
    const copies = Float32Array.from({ length: columns * width }, (_, i) =>
      Math.floor((i % width) / across) === Math.floor(i / width) ? 1 : 0,
    );
    const matrix = call.graph.constant('float32', [columns, width], copies);
    const wide = call.node('MatMul', [x, matrix]);
    const lines = reshapedTo(call.graph, wide, [batch * channels * rows, width]);
    const repeated = call.node(
      'Concat',
      Array.from({ length: down }, () => lines),
      { axis: 1 },
    );
    return placed(reshapedTo(call.graph, repeated, [batch, channels, height, width]), NCHW);
  }
  const split = reshapedTo(call.graph, x, [batch * channels, rows, 1, columns, 1]);
  const spread = [batch * channels, rows, down, columns, across];
  const repeated = call.node('Expand', [split, call.graph.integers(spread)]);
  return placed(reshapedTo(call.graph, repeated, [batch, channels, height, width]), NCHW);
}

function nearestGradient(call: KernelCall): Traced {
  const { shape } = call.input('images');
  const dy = arranged(call.graph, call.input('dy'), NCHW);
  const [batch = 0, channels = 0, height = 0, width = 0] = dy.shape;
  const [rows, columns] = [shape[1] ?? 0, shape[2] ?? 0];
  const blocks = [batch * channels, rows, height / rows, columns, width / columns];
  const summed = call.node(
    'ReduceSum',
    [reshapedTo(call.graph, dy, blocks), call.graph.integers([2, 4])],
    { keepdims: 0 },
  );
  return placed(reshapedTo(call.graph, summed, [batch, channels, rows, columns]), NCHW);
}

function wholeFactors(call: KernelCall, x: Value, height: number, width: number) {
  const [down, across] = [height / (x.shape[2] ?? 1), width / (x.shape[3] ?? 1)];
  const isWhole = Number.isInteger(down) && Number.isInteger(across);
  if (!isWhole || call.boolean('alignCorners')) {
    throw new Error(`${call.name} is traced for whole factors without aligned corners only`);
  }
  return [down, across] as const;
}

export const resizeKernels: KernelTable = {
  ResizeBilinear: bilinear,
  ResizeBilinearGrad: bilinearGradient,
  ResizeNearestNeighbor: nearest,
  ResizeNearestNeighborGrad: nearestGradient,
};
