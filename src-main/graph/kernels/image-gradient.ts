import { AppError } from '../../lib/errors.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import { NCHW, OIHW, arranged, inOrder, placed, reshapedTo, type Traced } from '../layout.ts';
import { convolved, windowOf, type Window } from './convolution.ts';
import { interleaved } from './interleave.ts';
import type { KernelCall, KernelTable } from './kernel.ts';
import { cut } from './shape.ts';

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
 * stride-1 convolution makes the s * s residues as channels, and depth-to-space interleaves them. On the
 * CPU every residue has a convolution of its own, without the taps that it does not see.
 */
export function imageGradient(
  graph: GraphBuilder,
  dy: Value,
  filter: Value,
  window: Window,
  size: readonly [height: number, width: number],
): Value {
  const [stride, across] = window.strides;
  if (stride !== across) throw new AppError('graph.unsupported-stride', 'Strides must be equal.');
  if (graph.provider === 'cpu' && stride > 1) {
    return interleaved(graph, residueMaps(graph, dy, filter, window, size), size);
  }
  const rows = residuePlan(window, 0, size[0]);
  const columns = residuePlan(window, 1, size[1]);
  const taps = residueFilter(graph, filter, window, rows, columns);
  const residues = windowed(graph, dy, taps, rows, columns);
  const whole =
    stride === 1
      ? residues
      : graph.node('DepthToSpace', [residues], { blocksize: stride, mode: 'CRD' });
  return cut(graph, whole, [2, 3], [0, 0], size);
}

/**
 * dL/dx at the positions of every residue, `[batch, in, ceil(height / s), ceil(width / s)]` each, those of
 * the first row first. Undefined where no tap reaches: there it is zero.
 */
function residueMaps(
  graph: GraphBuilder,
  dy: Value,
  filter: Value,
  window: Window,
  size: readonly [height: number, width: number],
): readonly (Value | undefined)[] {
  const [stride] = window.strides;
  const plans = ([0, 1] as const).map((axis) =>
    inOrder(stride).map((residue) => residuePlan(window, axis, size[axis], [residue])),
  );
  const [ofRows = [], ofColumns = []] = plans;
  return ofRows.flatMap((rows) =>
    ofColumns.map((columns) => {
      if (rows.size === 0 || columns.size === 0) return undefined;
      const taps = residueFilter(graph, filter, window, rows, columns);
      return windowed(graph, dy, taps, rows, columns);
    }),
  );
}

/** A convolution by steps of one whose window begins and ends as planned, inside or outside of the map. */
function windowed(
  graph: GraphBuilder,
  map: Value,
  filter: Value,
  rows: ResiduePlan,
  columns: ResiduePlan,
): Value {
  const [, , height = 0, width = 0] = map.shape;
  const inside = (n: number): number => Math.max(0, -n);
  const starts = [inside(rows.before), inside(columns.before)];
  const ends = [height - inside(rows.after), width - inside(columns.after)];
  return convolved(graph, cut(graph, map, [2, 3], starts, ends), filter, {
    kernel_shape: [rows.size, columns.size],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [rows.before, columns.before, rows.after, columns.after].map((n) => Math.max(0, n)),
  });
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
function residuePlan(
  window: Window,
  axis: 0 | 1,
  length: number,
  of = inOrder(window.strides[axis]),
): ResiduePlan {
  const [stride, padding, kernel] = [
    window.strides[axis],
    window.before[axis],
    window.kernel[axis],
  ];
  const residues = of.map((a) => {
    const first = (a + padding) % stride;
    const base = Math.floor((a + padding) / stride);
    const count = Math.max(0, Math.ceil((kernel - first) / stride));
    return inOrder(count).map((q) => ({ offset: base - q, tap: first + stride * q }));
  });
  const offsets = residues.flat().map(({ offset }) => offset);
  if (offsets.length === 0) return { size: 0, before: 0, after: 0, taps: [] };
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

/** The filter of the planned residues: [in * residues, out, window height, window width]. */
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
  const isOnlyTap = height * width * blocks * places === 1;
  const picked = isOnlyTap
    ? single
    : graph.node('Gemm', [single, tapSelection(graph, window.kernel, rows, columns)], {
        transA: 0,
        transB: 0,
      });
  const ordered =
    blocks === 1
      ? picked
      : graph.node('Transpose', [reshapedTo(graph, picked, [input, out, blocks, places])], {
          perm: [0, 2, 1, 3],
        });
  return reshapedTo(graph, ordered, [input * blocks, out, rows.size, columns.size]);
}

/**
 * Ones where a tap goes to a block and place: [taps, blocks * places]. A product with it reorders
 * the taps of every filter plane, zeros included, several times faster than a gather.
 */
function tapSelection(
  graph: GraphBuilder,
  [height, width]: Window['kernel'],
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
  const taps = height * width;
  const selection = new Float32Array(taps * picks.length);
  picks.forEach((tap, target) => {
    if (tap >= 0) selection[tap * picks.length + target] = 1;
  });
  return graph.constant('float32', [taps, picks.length], selection);
}

export const imageGradientKernels: KernelTable = {
  Conv2DBackpropInput: inputGradient,
};
