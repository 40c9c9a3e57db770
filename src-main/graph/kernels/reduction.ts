import type { GraphBuilder, Value } from '../ir.ts';
import {
  NCHW,
  contiguous,
  expanded,
  isFewPlanes,
  placed,
  plain,
  reshapedTo,
  type Traced,
} from '../layout.ts';
import { castTo } from './elementwise.ts';
import type { Kernel, KernelCall, KernelTable } from './kernel.ts';

/** Reduces logical axes without moving data: the axes are looked up where they lie. */
export function reduced(
  call: KernelCall,
  x: Traced,
  logicalAxes: readonly number[],
  keepDims: boolean,
  operator: string,
): Traced {
  const { value, axes } = expanded(call.graph, x);
  const places = logicalAxes.map((axis) => axes[axis] ?? 0).sort((a, b) => a - b);
  const result = call.node(operator, [value, call.graph.integers(places)], {
    keepdims: keepDims ? 1 : 0,
  });
  return keepDims ? placed(result, axes) : placed(result, axesWithout(axes, logicalAxes));
}

/** The places of the remaining logical axes after the reduced ones are gone. */
function axesWithout(axes: readonly number[], removed: readonly number[]): number[] {
  const gone = removed.map((axis) => axes[axis] ?? 0);
  return axes
    .filter((_, logical) => !removed.includes(logical))
    .map((place) => place - gone.filter((other) => other < place).length);
}

/** `axisName`: what tfjs calls the axes; `max` has a name of its own. */
function reduction(operator: string, axisName = 'axis'): Kernel {
  return (call) => {
    const x = call.input('x');
    if (x.shape.length === 0) return x;
    return reduced(
      call,
      x,
      call.axes(axisName, x.shape.length),
      call.boolean('keepDims'),
      operator,
    );
  };
}

/** Any and all on booleans, through integers. */
function logicalReduction(operator: string): Kernel {
  return (call) => {
    const x = call.input('x');
    const counted = { ...x, value: castTo(call.graph, x.value, 'int32') };
    const axes = call.axes('axis', x.shape.length);
    const result = reduced(call, counted, axes, call.boolean('keepDims'), operator);
    return { ...result, value: castTo(call.graph, result.value, 'bool') };
  };
}

function position(operator: 'ArgMax' | 'ArgMin'): Kernel {
  return (call) => {
    const { graph } = call;
    const { value, axes } = expanded(graph, call.input('x'));
    const [axis = 0] = call.axes('axis', axes.length);
    const place = axes[axis] ?? 0;
    const rest = axesWithout(axes, [axis]);
    if (graph.provider !== 'webgpu') {
      const found = call.node(operator, [value], { axis: place, keepdims: 0 });
      return placed(castTo(graph, found, 'int32'), rest);
    }
    const found = firstLargest(
      graph,
      operator === 'ArgMax' ? value : call.node('Neg', [value]),
      place,
    );
    const flat = reshapedTo(graph, found, found.shape.toSpliced(place, 1));
    return placed(castTo(graph, flat, 'int32'), rest);
  };
}

/**
 * Where along an axis the largest value lies, the first of several, as a float; the axis stays with
 * size 1. For WebGPU, where the int64 of ArgMax would leave the GPU.
 */
export function firstLargest(graph: GraphBuilder, value: Value, place: number): Value {
  const count = value.shape[place] ?? 0;
  const largest = (x: Value) => graph.node('ReduceMax', [x, graph.integers([place])]);
  const shape = value.shape.map((n, i) => (i === place ? n : 1));
  const fromEnd = Float32Array.from({ length: count }, (_, i) => count - i);
  const isLargest = graph.node('Equal', [value, largest(value)]);
  const inputs = [isLargest, graph.constant('float32', shape, fromEnd), graph.float(0)];
  return graph.node('Sub', [graph.float(count), largest(graph.node('Where', inputs))]);
}

/**
 * onnxruntime's softmax turns the tensor so that its axis lies last, one number at a time: for the
 * classes of a map, which lie before its pixels, the single steps take a sixth of that time. Many classes of
 * one large picture are faster turned by a product first, which a prediction does in any case.
 */
function softmax(call: KernelCall): Traced {
  const { graph } = call;
  const { value, axes } = expanded(graph, call.input('logits'));
  const [axis = 0] = call.axes('dim', axes.length);
  const place = axes[axis] ?? 0;
  if (graph.provider !== 'cpu' || place === value.shape.length - 1) {
    return placed(call.node('Softmax', [value], { axis: place }), axes);
  }
  const isOverClasses = `${axes}` === `${NCHW}` && axis === 3;
  if (
    isOverClasses &&
    isFewPlanes(graph, value, [0, 2, 3, 1]) &&
    (value.shape[1] ?? 0) >= manyClasses
  ) {
    const turned = contiguous(graph, placed(value, axes));
    return plain(call.node('Softmax', [turned], { axis: 3 }));
  }
  const over = graph.integers([place]);
  const largest = call.node('ReduceMax', [value, over], { keepdims: 1 });
  const powers = call.node('Exp', [call.node('Sub', [value, largest])]);
  const sum = call.node('ReduceSum', [powers, over], { keepdims: 1 });
  return placed(call.node('Mul', [powers, call.node('Reciprocal', [sum])]), axes);
}

/** From so many on, a softmax of turned scores is faster. */
const manyClasses = 8;

function cumulativeSum(call: KernelCall): Traced {
  const { value, axes } = expanded(call.graph, call.input('x'));
  const [axis = 0] = call.axes('axis', axes.length);
  const place = call.graph.constant('int64', [], BigInt64Array.of(BigInt(axes[axis] ?? 0)));
  const settings = {
    exclusive: call.boolean('exclusive') ? 1 : 0,
    reverse: call.boolean('reverse') ? 1 : 0,
  };
  return placed(call.node('CumSum', [value, place], settings), axes);
}

function largest(call: KernelCall): readonly Traced[] {
  const x: Value = contiguous(call.graph, call.input('x'));
  const k = call.graph.integers([call.number('k')]);
  const outputs = call.graph.nodeWithOutputs(
    'TopK',
    [x, k],
    { axis: -1, largest: 1, sorted: call.boolean('sorted') ? 1 : 0 },
    2,
  );
  const axes = x.shape.map((_, i) => i);
  return outputs.map((output, i) =>
    placed(i === 1 ? castTo(call.graph, output, 'int32') : output, axes),
  );
}

export const reductionKernels: KernelTable = {
  All: logicalReduction('ReduceMin'),
  Any: logicalReduction('ReduceMax'),
  ArgMax: position('ArgMax'),
  ArgMin: position('ArgMin'),
  Cumsum: cumulativeSum,
  Max: reduction('ReduceMax', 'reductionIndices'),
  Mean: reduction('ReduceMean'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  Softmax: softmax,
  Sum: (call) => {
    const x = call.input('x');
    const value = x.value.type === 'bool' ? castTo(call.graph, x.value, 'int32') : x.value;
    if (x.shape.length === 0) return { ...x, value };
    const axes = call.axes('axis', x.shape.length);
    return reduced(call, { ...x, value }, axes, call.boolean('keepDims'), 'ReduceSum');
  },
  TopK: largest,
};
