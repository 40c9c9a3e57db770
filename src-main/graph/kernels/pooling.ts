import { defined } from '../../lib/errors.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import {
  NCHW,
  arranged,
  inOrder,
  openlyReshaped,
  placed,
  reshapedTo,
  type Traced,
} from '../layout.ts';
import { convolved, windowAttributes, windowOf, type Window } from './convolution.ts';
import { sizeOf } from '../shapes.ts';
import { imageGradient } from './image-gradient.ts';
import type { KernelCall, KernelTable } from './kernel.ts';
import { firstLargest } from './reduction.ts';

function poolingWindow(call: KernelCall, shape: readonly number[]): Window {
  const channels = shape[3] ?? 0;
  return windowOf(call, shape, [...call.pair('filterSize'), channels, channels]);
}

function maxPool(call: KernelCall): Traced {
  const x = call.input('x');
  const window = poolingWindow(call, x.shape);
  const image = arranged(call.graph, x, NCHW);
  if (call.graph.provider === 'cpu') {
    return placed(maximumAndPlace(call.graph, image, window).maximum, NCHW);
  }
  return placed(call.node('MaxPool', [image], windowAttributes(window)), NCHW);
}

/**
 * Two ways, because the places that MaxPool can return are missing on WebGPU, while the way around
 * them takes the CPU twice as long.
 */
function maxPoolGradient(call: KernelCall): Traced {
  const { graph } = call;
  const x = call.input('input');
  const window = poolingWindow(call, x.shape);
  const image = arranged(graph, x, NCHW);
  const dy = arranged(graph, call.input('dy'), NCHW);
  const gradient = graph.provider === 'cpu' ? scatteredGradient : sortedGradient;
  return placed(gradient(graph, image, dy, window), NCHW);
}

/** Asked for with both outputs, so that the gradient finds the same node. */
function maximumAndPlace(graph: GraphBuilder, image: Value, window: Window) {
  const outputs = graph.nodeWithOutputs('MaxPool', [image], windowAttributes(window), 2);
  return { maximum: defined(outputs[0], 'maximum'), place: defined(outputs[1], 'place') };
}

/** Adds every gradient to the place that its maximum came from. */
function scatteredGradient(graph: GraphBuilder, image: Value, dy: Value, window: Window): Value {
  const { place } = maximumAndPlace(graph, image, window);
  const flat = (value: Value) => reshapedTo(graph, value, [sizeOf(value.shape)]);
  const zeros = graph.node('Expand', [graph.float(0), graph.integers([sizeOf(image.shape)])]);
  const inputs = [zeros, flat(place), flat(dy)];
  const sums = graph.node('ScatterElements', inputs, { axis: 0, reduction: 'add' });
  // Otherwise onnxruntime would keep a buffer of the first map of a network for this one.
  return openlyReshaped(graph, sums, image.shape);
}

/**
 * Lays the pixels under a window out as channels, by a convolution with unit filters, so that the
 * first of the largest is found along an axis; gradients find their way back by the gradient of that
 * convolution.
 */
function sortedGradient(graph: GraphBuilder, image: Value, dy: Value, window: Window): Value {
  const [batch = 0, channels = 0, height = 0, width = 0] = image.shape;
  const planes = (value: Value, size: readonly number[]) =>
    reshapedTo(graph, value, [batch * channels, 1, ...size]);
  const unit = unitFilters(graph, window);
  const taps = unit.shape[0] ?? 0;
  const pixels = convolved(graph, planes(image, [height, width]), unit, windowAttributes(window));
  const inside = insideMask(graph, window, [height, width]);
  const known = graph.node('Where', [inside, pixels, graph.float(lowest)]);
  const place = firstLargest(graph, known, 1);
  const ramp = graph.constant('float32', [1, taps, 1, 1], Float32Array.from(inOrder(taps)));
  const isFirst = graph.node('Equal', [place, ramp]);
  const sent = graph.node('Where', [isFirst, planes(dy, window.output), graph.float(0)]);
  const dx = imageGradient(graph, sent, unit, window, [height, width]);
  return reshapedTo(graph, dx, image.shape);
}

/** One filter for each place under the window: [taps, 1, height, width]. */
function unitFilters(graph: GraphBuilder, { kernel }: Window): Value {
  const taps = kernel[0] * kernel[1];
  const data = Float32Array.from({ length: taps * taps }, (_, i) => (i % (taps + 1) === 0 ? 1 : 0));
  return graph.constant('float32', [taps, 1, ...kernel], data);
}

/** Which places under a window are no padding: [1, taps, rows, columns]. */
function insideMask(graph: GraphBuilder, window: Window, size: readonly [number, number]): Value {
  const inside = ([0, 1] as const).map((axis) =>
    inOrder(window.kernel[axis]).map((tap) =>
      inOrder(window.output[axis]).map((output) => {
        const place = output * window.strides[axis] + tap - window.before[axis];
        return place >= 0 && place < size[axis] ? 1 : 0;
      }),
    ),
  );
  const [rows = [], columns = []] = inside;
  const mask = rows.flatMap((row) =>
    columns.flatMap((column) => row.flatMap((a) => column.map((b) => a * b))),
  );
  const shape = [1, rows.length * columns.length, ...window.output];
  return graph.constant('bool', shape, Uint8Array.from(mask));
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

/** Below every float32 that a network can sensibly hold, and finite. */
const lowest = -3.4e38;

export const poolingKernels: KernelTable = {
  AvgPool: averagePool,
  AvgPoolGrad: averagePoolGradient,
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGradient,
};
