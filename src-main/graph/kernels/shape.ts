import { util } from '@tensorflow/tfjs-core';
import { defined } from '../../lib/errors.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import {
  aligned,
  arranged,
  contiguous,
  expanded,
  inOrder,
  isLazy,
  placed,
  plain,
  reordered,
  reshapedTo,
  type Traced,
} from '../layout.ts';
import { sizeOf } from '../shapes.ts';
import { castTo, elementTypeOf, elementwise } from './elementwise.ts';
import { numberPairs, type KernelCall, type KernelTable } from './kernel.ts';

/** Cuts value[start : start + size] along some axes; nothing where the whole axis is wanted. */
export function cut(
  graph: GraphBuilder,
  value: Value,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  steps?: readonly number[],
): Value {
  const wanted = axes
    .map((axis, i) => ({ axis, start: starts[i] ?? 0, end: ends[i] ?? 0, step: steps?.[i] ?? 1 }))
    .filter(
      ({ axis, start, end, step }) => start !== 0 || end < (value.shape[axis] ?? 0) || step !== 1,
    );
  if (wanted.length === 0) return value;
  const list = (pick: (cut: (typeof wanted)[number]) => number) => graph.integers(wanted.map(pick));
  const inputs = [list((w) => w.start), list((w) => w.end), list((w) => w.axis)];
  const hasSteps = wanted.some(({ step }) => step !== 1);
  return graph.node('Slice', [value, ...inputs, ...(hasSteps ? [list((w) => w.step)] : [])]);
}

/** Values one behind another along an axis; a single one as it is. */
export function joined(graph: GraphBuilder, parts: readonly Value[], axis: number): Value {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : graph.node('Concat', parts, { axis });
}

/** Pads with a constant: `before[i]` and `after[i]` elements along axis i. */
export function paddedWith(
  graph: GraphBuilder,
  value: Value,
  before: readonly number[],
  after: readonly number[],
  filling = 0,
): Value {
  if ([...before, ...after].every((n) => n === 0)) return value;
  const constant = castConstant(graph, filling, value.type);
  return graph.node('Pad', [value, graph.integers([...before, ...after]), constant]);
}

function castConstant(graph: GraphBuilder, number: number, type: Value['type']): Value {
  return type === 'int32'
    ? graph.constant('int32', [], Int32Array.of(number))
    : graph.float(number);
}

function reshape(call: KernelCall): Traced {
  const x = call.input('x');
  const shape = util.inferFromImplicitShape([...call.numbers('shape')], sizeOf(x.shape));
  // tfjs reshapes results to the shape that they have; an axis of size 1 must stay where it lies.
  if (`${shape}` === `${x.shape}`) return x;
  if (isLazy(x) && sizeOf(x.value.shape) === 1) {
    const ones = shape.map(() => 1);
    return { value: reshapedTo(call.graph, x.value, ones), shape, axes: inOrder(shape.length) };
  }
  const kept = insertedOnes(call.graph, x, shape);
  return kept ?? plain(reshapedTo(call.graph, contiguous(call.graph, x), shape));
}

/**
 * A reshape that only adds or removes axes of size 1 keeps the layout: the remaining axes stay where
 * they lie and the new ones go to the end. Undefined for any other reshape.
 */
function insertedOnes(
  graph: GraphBuilder,
  x: Traced,
  shape: readonly number[],
): Traced | undefined {
  const kept = inOrder(x.shape.length).filter((axis) => x.shape[axis] !== 1);
  const target = inOrder(shape.length).filter((axis) => shape[axis] !== 1);
  const isSame =
    kept.length === target.length && kept.every((a, i) => x.shape[a] === shape[target[i] ?? 0]);
  if (!isSame) return undefined;
  const places = kept.map((axis) => x.axes[axis] ?? 0);
  if (places.every((place, i) => i === 0 || place > (places[i - 1] ?? -1))) {
    const full = shape.map(() => 1);
    target.forEach((axis, i) => (full[axis] = x.value.shape[places[i] ?? 0] ?? 1));
    return { value: reshapedTo(graph, x.value, full), shape, axes: inOrder(shape.length) };
  }
  const sorted = [...places].sort((a, b) => a - b);
  const axes = shape.map(() => -1);
  target.forEach((axis, i) => (axes[axis] = sorted.indexOf(places[i] ?? 0)));
  let next = sorted.length;
  const all = axes.map((place) => (place < 0 ? next++ : place));
  const physical = [
    ...sorted.map((place) => x.value.shape[place] ?? 1),
    ...axes.filter((p) => p < 0).map(() => 1),
  ];
  return { value: reshapedTo(graph, x.value, physical), shape, axes: all };
}

function transpose(call: KernelCall): Traced {
  const { value, shape, axes } = call.input('x');
  const order = call.numbers('perm');
  return {
    value,
    shape: order.map((axis) => shape[axis] ?? 0),
    axes: order.map((axis) => axes[axis] ?? 0),
  };
}

function concat(call: KernelCall): Traced {
  const parts = call.list().filter(({ shape }) => sizeOf(shape) > 0);
  const { values, axes } = aligned(
    call.graph,
    parts.map((part) => expanded(call.graph, part)),
  );
  const [axis = 0] = call.axes('axis', axes.length);
  const place = axes[axis] ?? 0;
  if (values.length === 1) return placed(defined(values[0], 'part'), axes);
  const whole = values.map((value) =>
    value.shape.length === 0
      ? reshapedTo(
          call.graph,
          value,
          axes.map(() => 1),
        )
      : value,
  );
  return placed(call.node('Concat', whole, { axis: place }), axes);
}

/** Slices logical axes where they lie; axes that are broadcast stay so. */
function slicedAxes(
  graph: GraphBuilder,
  x: Traced,
  begin: readonly number[],
  size: readonly number[],
): Traced {
  const real = inOrder(x.shape.length).filter(
    (axis) => x.value.shape[x.axes[axis] ?? 0] === x.shape[axis],
  );
  const value = cut(
    graph,
    x.value,
    real.map((axis) => x.axes[axis] ?? 0),
    real.map((axis) => begin[axis] ?? 0),
    real.map((axis) => (begin[axis] ?? 0) + (size[axis] ?? 0)),
  );
  return { ...x, value, shape: size };
}

function slice(call: KernelCall): Traced {
  const x = call.input('x');
  const begin = call.numbers('begin');
  const size = x.shape.map((n, axis) => {
    const wanted = call.numbers('size')[axis] ?? -1;
    return wanted < 0 ? n - (begin[axis] ?? 0) : wanted;
  });
  return slicedAxes(call.graph, x, begin, size);
}

/** Strided slices in the plain form only: no ellipsis, no new or removed axes. */
function stridedSlice(call: KernelCall): Traced {
  const x = expanded(call.graph, call.input('x'));
  const masks = ['ellipsisMask', 'newAxisMask', 'shrinkAxisMask'].map((name) => call.number(name));
  if (masks.some((mask) => mask !== 0)) throw new Error('Strided slices with masks are not traced');
  const [begin, end, strides] = [
    call.numbers('begin'),
    call.numbers('end'),
    call.numbers('strides'),
  ];
  const masked = (mask: string, axis: number) => ((call.number(mask) >> axis) & 1) === 1;
  const axes = inOrder(begin.length);
  const value = cut(
    call.graph,
    x.value,
    axes.map((axis) => x.axes[axis] ?? 0),
    axes.map((axis) => (masked('beginMask', axis) ? 0 : (begin[axis] ?? 0))),
    axes.map((axis) => (masked('endMask', axis) ? (x.shape[axis] ?? 0) : (end[axis] ?? 0))),
    strides,
  );
  return placed(value, x.axes);
}

function split(call: KernelCall): readonly Traced[] {
  const x = call.input('x');
  const [axis = 0] = call.axes('axis', x.shape.length);
  const total = x.shape[axis] ?? 0;
  const given = call.attribute('numOrSizeSplits');
  const sizes =
    typeof given === 'number'
      ? inOrder(given).map(() => total / given)
      : call.numbers('numOrSizeSplits');
  const known = sizes.filter((n) => n >= 0).reduce((sum, n) => sum + n, 0);
  const lengths = sizes.map((n) => (n < 0 ? total - known : n));
  if (x.shape.length === 1 && call.graph.provider === 'cpu') {
    const inputs = [contiguous(call.graph, x), call.graph.integers(lengths)];
    return call.graph.nodeWithOutputs('Split', inputs, { axis: 0 }, lengths.length).map(plain);
  }
  let start = 0;
  return lengths.map((length) => {
    const begin = x.shape.map((_, i) => (i === axis ? start : 0));
    start += length;
    return slicedAxes(call.graph, x, begin, x.shape.with(axis, length));
  });
}

function pack(call: KernelCall): Traced {
  const parts = call.list().map((part) => contiguous(call.graph, part));
  const rank = (parts[0]?.shape.length ?? 0) + 1;
  const [axis = 0] = call.axes('axis', rank);
  const widened = parts.map((part) =>
    reshapedTo(call.graph, part, part.shape.toSpliced(axis, 0, 1)),
  );
  return plain(call.node('Concat', widened, { axis }));
}

function unpack(call: KernelCall): readonly Traced[] {
  const x = contiguous(call.graph, call.input('value'));
  const [axis = 0] = call.axes('axis', x.shape.length);
  return inOrder(x.shape[axis] ?? 0).map((i) => {
    const part = cut(call.graph, x, [axis], [i], [i + 1]);
    return plain(reshapedTo(call.graph, part, x.shape.toSpliced(axis, 1)));
  });
}

function pad(call: KernelCall): Traced {
  const x = expanded(call.graph, call.input('x'));
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  numberPairs(call.attribute('paddings')).forEach(([low, high], axis) => {
    before[x.axes[axis] ?? 0] = low;
    after[x.axes[axis] ?? 0] = high;
  });
  const value = paddedWith(call.graph, x.value, before, after, call.number('constantValue'));
  return placed(value, x.axes);
}

function tile(call: KernelCall): Traced {
  const x = call.input('x');
  const repeats = call.numbers('reps');
  const shape = x.shape.map((n, axis) => n * (repeats[axis] ?? 1));
  const isBroadcast = x.shape.every((n, axis) => n === 1 || repeats[axis] === 1);
  if (isBroadcast) return { ...x, shape };
  const { value, axes } = expanded(call.graph, x);
  const counts = axes.map(() => 1);
  axes.forEach((place, axis) => (counts[place] = repeats[axis] ?? 1));
  return placed(call.node('Tile', [value, call.graph.integers(counts)]), axes);
}

function reverse(call: KernelCall): Traced {
  const x = call.input('x');
  const places = call.axes('dims', x.shape.length).map((axis) => x.axes[axis] ?? 0);
  const real = places.filter((place) => (x.value.shape[place] ?? 1) > 1);
  if (real.length === 0) return x;
  const value = cut(
    call.graph,
    x.value,
    real,
    real.map((place) => (x.value.shape[place] ?? 0) - 1),
    real.map(() => Number.MIN_SAFE_INTEGER),
    real.map(() => -1),
  );
  return { ...x, value };
}

function gather(call: KernelCall): Traced {
  const x = contiguous(call.graph, call.input('x'));
  const indices = contiguous(call.graph, call.input('indices'));
  const [axis = 0] = call.axes('axis', x.shape.length);
  const batchDims = call.attribute('batchDims') === undefined ? 0 : call.number('batchDims');
  if (batchDims === 0) return plain(call.node('Gather', [x, indices], { axis }));
  if (batchDims !== axis) throw new Error('Gather with batch axes must gather the next axis');
  const wide = castTo(call.graph, indices, 'int64');
  const tuples = reshapedTo(call.graph, wide, [...indices.shape, 1]);
  return plain(call.node('GatherND', [x, tuples], { batch_dims: batchDims }));
}

function gatherByIndex(call: KernelCall): Traced {
  const params = contiguous(call.graph, call.input('params'));
  const indices = castTo(call.graph, contiguous(call.graph, call.input('indices')), 'int64');
  return plain(call.node('GatherND', [params, indices], { batch_dims: 0 }));
}

/** Sums rows of x into `numSegments` rows by segment id. */
function segmentSum(call: KernelCall): Traced {
  const x = contiguous(call.graph, call.input('x'));
  const ids = castTo(call.graph, contiguous(call.graph, call.input('segmentIds')), 'int64');
  const shape = [call.number('numSegments'), ...x.shape.slice(ids.shape.length)];
  const zeros = call.node('Expand', [call.graph.float(0), call.graph.integers(shape)]);
  const rows = reshapedTo(call.graph, ids, [...ids.shape, 1]);
  return plain(call.node('ScatterND', [zeros, rows, x], { reduction: 'add' }));
}

/** One position a row, by comparing with a constant ramp: no gather, no scatter. */
function oneHot(call: KernelCall): Traced {
  const indices = call.input('indices');
  const depth = call.number('depth');
  const rank = indices.shape.length;
  const ramp = call.graph.constant(
    'int32',
    [depth],
    Int32Array.from({ length: depth }, (_, i) => i),
  );
  const column = reordered(call.graph, indices, inOrder(rank));
  const value = reshapedTo(call.graph, castTo(call.graph, column.value, 'int32'), [
    ...column.value.shape,
    1,
  ]);
  const widened = { value, shape: [...indices.shape, 1], axes: inOrder(rank + 1) };
  const hit = elementwise(call.graph, [widened, plain(ramp)], (a, b) => call.node('Equal', [a, b]));
  const type = elementTypeOf(
    call.attribute('dtype') === undefined ? 'float32' : call.text('dtype'),
  );
  const [on, off] = [call.number('onValue'), call.number('offValue')];
  if (on === 1 && off === 0) return { ...hit, value: castTo(call.graph, hit.value, type) };
  const chosen = call.node('Where', [hit.value, call.graph.float(on), call.graph.float(off)]);
  return { ...hit, value: castTo(call.graph, chosen, type) };
}

function range(call: KernelCall): Traced {
  const [start, stop, step] = [call.number('start'), call.number('stop'), call.number('step')];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  const values = Array.from({ length }, (_, i) => start + i * step);
  return call.attribute('dtype') === 'int32'
    ? plain(call.graph.constant('int32', [length], Int32Array.from(values)))
    : plain(call.graph.constant('float32', [length], Float32Array.from(values)));
}

function expandDims(call: KernelCall): Traced {
  const input = call.input('input');
  const dim = call.number('dim');
  const at = dim < 0 ? dim + input.shape.length + 1 : dim;
  const shape = input.shape.toSpliced(at, 0, 1);
  return defined(insertedOnes(call.graph, input, shape), 'layout');
}

function depthToSpace(call: KernelCall): Traced {
  if (call.text('dataFormat') !== 'NHWC') throw new Error('Only NHWC tensors are traced');
  const x = arranged(call.graph, call.input('x'), [0, 2, 3, 1]);
  const settings = { blocksize: call.number('blockSize'), mode: 'DCR' };
  return placed(call.node('DepthToSpace', [x], settings), [0, 2, 3, 1]);
}

export const shapeKernels: KernelTable = {
  Concat: concat,
  DepthToSpace: depthToSpace,
  ExpandDims: expandDims,
  GatherNd: gatherByIndex,
  GatherV2: gather,
  OneHot: oneHot,
  Pack: pack,
  PadV2: pad,
  Range: range,
  Reshape: reshape,
  Reverse: reverse,
  Slice: slice,
  SplitV: split,
  StridedSlice: stridedSlice,
  Tile: tile,
  Transpose: transpose,
  Unpack: unpack,
  UnsortedSegmentSum: segmentSum,
};
