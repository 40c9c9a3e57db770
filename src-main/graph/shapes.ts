import { AppError, defined } from '../lib/errors.ts';
import type { Attributes, ElementType, Value } from './ir.ts';

export interface InferredOutput {
  readonly shape: readonly number[];
  readonly type: ElementType;
}

interface OperatorCall {
  readonly operator: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
}

type Rule = (call: Reader) => InferredOutput | readonly InferredOutput[];

/**
 * Output shapes and element types of an ONNX operator from its inputs, attributes and the constants
 * among the inputs (ONNX operator specification, opset 20; only the forms used here).
 * @throws AppError `graph.unknown-operator`
 */
export function inferOutputs(call: OperatorCall, count: number): readonly InferredOutput[] {
  const rule = RULES[call.operator];
  if (rule === undefined) {
    throw new AppError('graph.unknown-operator', `No shape rule for operator ${call.operator}.`);
  }
  const inferred = rule(new Reader(call));
  const outputs = 'shape' in inferred ? [inferred] : inferred;
  return outputs.slice(0, count);
}

/** The common shape of broadcast operands, as numpy and ONNX define it. */
export function broadcastShapes(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own !== 1 && size !== 1 && own !== size) {
        throw new AppError('graph.shape', `Cannot broadcast [${shapes.join('] with [')}].`);
      }
      if (own !== 1) size = own;
    }
    return size;
  });
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Typed access to one operator's inputs and attributes. */
class Reader {
  readonly call: OperatorCall;

  constructor(call: OperatorCall) {
    this.call = call;
  }

  input(index: number): Value {
    return defined(this.call.inputs[index], `input ${index} of ${this.call.operator}`);
  }

  given(): Value[] {
    return this.call.inputs.filter((input) => input !== undefined);
  }

  /** The values of a constant integer input. */
  integers(index: number): number[] {
    const data = defined(this.input(index).constant, `constant ${index} of ${this.call.operator}`);
    return Array.from(data, Number);
  }

  number(name: string, fallback: number): number {
    const value = this.call.attributes[name] ?? fallback;
    return typeof value === 'number' ? value : fallback;
  }

  numbers(name: string, fallback: readonly number[]): readonly number[] {
    const value = this.call.attributes[name];
    return Array.isArray(value) ? value : fallback;
  }

  axis(rank: number, fallback: number): number {
    const axis = this.number('axis', fallback);
    return axis < 0 ? axis + rank : axis;
  }
}

function same(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  return { shape, type };
}

function broadcast(call: Reader): InferredOutput {
  const inputs = call.given();
  return { shape: broadcastShapes(inputs.map(({ shape }) => shape)), type: call.input(0).type };
}

function comparison(call: Reader): InferredOutput {
  return { ...broadcast(call), type: 'bool' };
}

function reduction(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const axes = call.call.inputs[1] === undefined ? shape.map((_, i) => i) : call.integers(1);
  return { shape: reducedShape(shape, axes, call.number('keepdims', 1) === 1), type };
}

/** Values, then means and inverse deviations over the last axis. */
function layerNormalization(call: Reader): readonly InferredOutput[] {
  const { shape, type } = call.input(0);
  const statistics = { shape: shape.with(-1, 1), type };
  return [{ shape, type }, statistics, statistics];
}

function argument(call: Reader): InferredOutput {
  const { shape } = call.input(0);
  const keep = call.number('keepdims', 1) === 1;
  return { shape: reducedShape(shape, [call.axis(shape.length, 0)], keep), type: 'int64' };
}

function reducedShape(shape: readonly number[], axes: readonly number[], keep: boolean): number[] {
  const reduced = new Set(axes.map((axis) => (axis < 0 ? axis + shape.length : axis)));
  return keep
    ? shape.map((n, i) => (reduced.has(i) ? 1 : n))
    : shape.filter((_, i) => !reduced.has(i));
}

function convolution(call: Reader): InferredOutput {
  const x = call.input(0);
  const [channels = 0, , ...kernel] = call.input(1).shape;
  return { shape: [x.shape[0] ?? 0, channels, ...windowShape(call, x, kernel)], type: x.type };
}

function pooling(call: Reader): readonly InferredOutput[] {
  const x = call.input(0);
  const kernel = call.numbers('kernel_shape', []);
  const shape = [x.shape[0] ?? 0, x.shape[1] ?? 0, ...windowShape(call, x, kernel)];
  return [
    { shape, type: x.type },
    { shape, type: 'int64' },
  ];
}

function windowShape(call: Reader, x: Value, kernel: readonly number[]): number[] {
  const strides = call.numbers('strides', [1, 1]);
  const pads = call.numbers('pads', [0, 0, 0, 0]);
  const dilations = call.numbers('dilations', [1, 1]);
  return kernel.map((size, i) => {
    const padded = (x.shape[i + 2] ?? 0) + (pads[i] ?? 0) + (pads[i + kernel.length] ?? 0);
    return Math.floor((padded - (dilations[i] ?? 1) * (size - 1) - 1) / (strides[i] ?? 1)) + 1;
  });
}

function matrixProduct(call: Reader): InferredOutput {
  const [a, b] = [call.input(0), call.input(1)];
  const batch = broadcastShapes([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  return { shape: [...batch, a.shape.at(-2) ?? 1, b.shape.at(-1) ?? 1], type: a.type };
}

function gemm(call: Reader): InferredOutput {
  const [a, b] = [call.input(0), call.input(1)];
  const rows = a.shape[call.number('transA', 0) === 1 ? 1 : 0] ?? 1;
  const columns = b.shape[call.number('transB', 0) === 1 ? 0 : 1] ?? 1;
  return { shape: [rows, columns], type: a.type };
}

/** One size may be -1: what is left. */
function reshaped(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const target = call.integers(1);
  const rest = sizeOf(shape) / sizeOf(target.filter((size) => size !== -1));
  return { shape: target.map((size) => (size === -1 ? rest : size)), type };
}

/** Places of what is not 0, at most all. */
function nonZero(call: Reader): InferredOutput {
  const { shape } = call.input(0);
  return { shape: [shape.length, sizeOf(shape)], type: 'int64' };
}

function transposed(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  return { shape: call.numbers('perm', []).map((axis) => shape[axis] ?? 0), type };
}

function concatenated(call: Reader): InferredOutput {
  const inputs = call.given();
  const { shape, type } = call.input(0);
  const axis = call.axis(shape.length, 0);
  const total = inputs.reduce((sum, input) => sum + (input.shape[axis] ?? 0), 0);
  return { shape: shape.with(axis, total), type };
}

function sliced(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const [starts, ends, axes] = [call.integers(1), call.integers(2), call.integers(3)];
  const steps = call.call.inputs[4] === undefined ? axes.map(() => 1) : call.integers(4);
  const result = [...shape];
  axes.forEach((axis, i) => {
    const [start = 0, end = 0, step = 1, size = 0] = [starts[i], ends[i], steps[i], shape[axis]];
    const clamp = (n: number, low: number, high: number) =>
      Math.min(Math.max(n < 0 ? n + size : n, low), high);
    const span =
      step > 0
        ? clamp(end, 0, size) - clamp(start, 0, size)
        : clamp(start, 0, size - 1) - (end < -size ? -1 : clamp(end, -1, size - 1));
    result[axis] = Math.max(0, Math.ceil(span / Math.abs(step)));
  });
  return { shape: result, type };
}

function padded(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const pads = call.integers(1);
  return { shape: shape.map((n, i) => n + (pads[i] ?? 0) + (pads[i + shape.length] ?? 0)), type };
}

function gathered(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const axis = call.axis(shape.length, 0);
  return {
    shape: [...shape.slice(0, axis), ...call.input(1).shape, ...shape.slice(axis + 1)],
    type,
  };
}

function gatheredByIndex(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const indices = call.input(1).shape;
  const depth = (indices.at(-1) ?? 0) + call.number('batch_dims', 0);
  return { shape: [...indices.slice(0, -1), ...shape.slice(depth)], type };
}

function expanded(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  return { shape: broadcastShapes([shape, call.integers(1)]), type };
}

function tiled(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const repeats = call.integers(1);
  return { shape: shape.map((n, i) => n * (repeats[i] ?? 1)), type };
}

function largest(call: Reader): readonly InferredOutput[] {
  const { shape, type } = call.input(0);
  const result = shape.with(call.axis(shape.length, -1), call.integers(1)[0] ?? 0);
  return [
    { shape: result, type },
    { shape: result, type: 'int64' },
  ];
}

function flattened(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const axis = call.axis(shape.length, 1);
  return { shape: [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))], type };
}

function depthToSpace(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
  const block = call.number('blocksize', 1);
  return { shape: [batch, channels / block ** 2, height * block, width * block], type };
}

function spaceToDepth(call: Reader): InferredOutput {
  const { shape, type } = call.input(0);
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
  const block = call.number('blocksize', 1);
  return { shape: [batch, channels * block ** 2, height / block, width / block], type };
}

function cast(call: Reader): InferredOutput {
  const type = CAST_TYPES[call.number('to', 1)];
  return { shape: call.input(0).shape, type: defined(type, 'cast type') };
}

function split(call: Reader): readonly InferredOutput[] {
  const { shape, type } = call.input(0);
  const axis = call.number('axis', 0);
  return call.integers(1).map((size) => ({ shape: shape.with(axis, size), type }));
}

/** TensorProto.DataType numbers (ONNX specification). */
export const ONNX_TYPES = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;

const CAST_TYPES: Readonly<Record<number, ElementType>> = {
  1: 'float32',
  2: 'uint8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
};

const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    [
      'Abs',
      'Neg',
      'Exp',
      'Log',
      'Sqrt',
      'Reciprocal',
      'Floor',
      'Ceil',
      'Round',
      'Sign',
      'HardSigmoid',
      'Relu',
      'LeakyRelu',
      'Elu',
      'Sigmoid',
      'Tanh',
      'Erf',
      'Softplus',
      'Sin',
      'Cos',
      'Clip',
      'Not',
      'Softmax',
      'CumSum',
      'BatchNormalization',
      'ScatterElements',
      'ScatterND',
    ].map((name) => [name, same] as const),
  ),
  ...Object.fromEntries(
    ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Mod', 'And', 'Or'].map(
      (name) => [name, broadcast] as const,
    ),
  ),
  ...Object.fromEntries(
    ['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'].map(
      (name) => [name, comparison] as const,
    ),
  ),
  ...Object.fromEntries(
    ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd'].map(
      (name) => [name, reduction] as const,
    ),
  ),
  KeepRows: same,
  SpreadRows: same,
  NonZero: nonZero,
  LayerNormalization: layerNormalization,
  IsNaN: (call) => ({ shape: call.input(0).shape, type: 'bool' }),
  IsInf: (call) => ({ shape: call.input(0).shape, type: 'bool' }),
  ArgMax: argument,
  ArgMin: argument,
  Where: (call) => ({
    shape: broadcastShapes(call.given().map(({ shape }) => shape)),
    type: call.input(1).type,
  }),
  Cast: cast,
  Conv: convolution,
  'blocked.Conv': convolution,
  'blocked.ReorderInput': same,
  'blocked.ReorderOutput': same,
  MaxPool: pooling,
  AveragePool: pooling,
  MatMul: matrixProduct,
  Gemm: gemm,
  Reshape: reshaped,
  Flatten: flattened,
  Transpose: transposed,
  Concat: concatenated,
  Slice: sliced,
  Split: split,
  Pad: padded,
  Gather: gathered,
  GatherND: gatheredByIndex,
  Expand: expanded,
  Tile: tiled,
  TopK: largest,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
