import type { Value } from '../ir.ts';
import { NCHW, arranged, placed, reshapedTo, type Traced } from '../layout.ts';
import { sizeOf } from '../shapes.ts';
import { windowAttributes, windowOf, type Window } from './convolution.ts';
import type { KernelCall, KernelTable } from './kernel.ts';

function poolingWindow(call: KernelCall, shape: readonly number[]): Window {
  const channels = shape[3] ?? 0;
  return windowOf(call, shape, [...call.pair('filterSize'), channels, channels]);
}

function maxPool(call: KernelCall): Traced {
  const x = call.input('x');
  const window = poolingWindow(call, x.shape);
  const [maximum] = maximumAndPlace(call, x, window);
  return placed(maximum, NCHW);
}

/** Both outputs are always asked for, so that the gradient finds the same node. */
function maximumAndPlace(call: KernelCall, x: Traced, window: Window): readonly [Value, Value] {
  const image = arranged(call.graph, x, NCHW);
  const outputs = call.graph.nodeWithOutputs('MaxPool', [image], windowAttributes(window), 2);
  const [maximum, place] = outputs;
  if (maximum === undefined || place === undefined) throw new Error('MaxPool has two outputs');
  return [maximum, place];
}

/** Adds every gradient to the place that its maximum came from. */
function maxPoolGradient(call: KernelCall): Traced {
  const x = call.input('input');
  const [, place] = maximumAndPlace(call, x, poolingWindow(call, x.shape));
  const dy = arranged(call.graph, call.input('dy'), NCHW);
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const size = sizeOf(x.shape);
  const zeros = call.node('Expand', [call.graph.float(0), call.graph.integers([size])]);
  const flat = (value: Value) => reshapedTo(call.graph, value, [sizeOf(value.shape)]);
  const inputs = [zeros, flat(place), flat(dy)];
  const sums = call.node('ScatterElements', inputs, { axis: 0, reduction: 'add' });
  return placed(reshapedTo(call.graph, sums, [batch, channels, height, width]), NCHW);
}

function averagePool(call: KernelCall): Traced {
  const x = call.input('x');
  const { kernel_shape, strides, pads } = windowAttributes(poolingWindow(call, x.shape));
  const settings = { kernel_shape, strides, pads, count_include_pad: 0 };
  return placed(call.node('AveragePool', [arranged(call.graph, x, NCHW)], settings), NCHW);
}

/**
 * For windows that tile the image: every pixel of a window gets an equal share. A single window tiles
 * with any stride.
 */
function averagePoolGradient(call: KernelCall): Traced {
  const { shape } = call.input('input');
  const window = poolingWindow(call, shape);
  const [down, across] = window.kernel;
  const tiles = [0, 1].every((axis) => {
    const [count = 0, size = 0] = [window.output[axis], window.kernel[axis]];
    return count * size === shape[axis + 1] && (count === 1 || size === window.strides[axis]);
  });
  if (!tiles) {
    throw new Error('The gradient of an average pool is traced for tiling windows only');
  }
  const dy = arranged(call.graph, call.input('dy'), NCHW);
  const [batch = 0, channels = 0, rows = 0, columns = 0] = dy.shape;
  const share = call.node('Mul', [dy, call.graph.float(1 / (down * across))]);
  const split = reshapedTo(call.graph, share, [batch * channels, rows, 1, columns, 1]);
  const spread = [batch * channels, rows, down, columns, across];
  const repeated = call.node('Expand', [split, call.graph.integers(spread)]);
  return placed(
    reshapedTo(call.graph, repeated, [batch, channels, rows * down, columns * across]),
    NCHW,
  );
}

export const poolingKernels: KernelTable = {
  AvgPool: averagePool,
  AvgPoolGrad: averagePoolGradient,
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGradient,
};
