import { AppError, defined } from '../../lib/errors.ts';
import { ONNX_TYPES, broadcastShapes, sizeOf } from '../shapes.ts';
import type { ElementType, GraphBuilder, Value } from '../ir.ts';
import { aligned, inOrder, type Traced } from '../layout.ts';
import { sumOfInterleaved } from './interleave.ts';
import type { Kernel, KernelCall, KernelTable } from './kernel.ts';

/** Applies `build` to operands brought to one layout; the result has their broadcast shape. */
export function elementwise(
  graph: GraphBuilder,
  operands: readonly Traced[],
  build: (...values: Value[]) => Value,
): Traced {
  const { values, axes } = aligned(graph, operands);
  return { value: build(...values), shape: broadcastShapes(operands.map((o) => o.shape)), axes };
}

/** A tensor of one repeated number that takes no memory. */
export function filled(
  graph: GraphBuilder,
  shape: readonly number[],
  number: number,
  type: ElementType,
): Traced {
  const ones = shape.map(() => 1);
  return {
    value: graph.constant(type, ones, typedNumber(number, type)),
    shape,
    axes: inOrder(shape.length),
  };
}

/** Converts the element type, if it differs. */
export function castTo(graph: GraphBuilder, value: Value, type: ElementType): Value {
  return value.type === type ? value : graph.node('Cast', [value], { to: ONNX_TYPES[type] });
}

/** The element type of a tfjs data type. */
export function elementTypeOf(dtype: string): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new AppError('graph.unsupported-type', `Tensors of type ${dtype} cannot be compiled.`);
}

/** The value of a constant that repeats one number, else undefined. */
export function splatOf({ value }: Traced): number | undefined {
  if (value.constant === undefined || sizeOf(value.shape) !== 1) return undefined;
  return Number(value.constant[0]);
}

function typedNumber(number: number, type: ElementType) {
  if (type === 'float32') return Float32Array.of(number);
  if (type === 'int32') return Int32Array.of(number);
  if (type === 'int64') return BigInt64Array.of(BigInt(number));
  return Uint8Array.of(number);
}

function unary(operator: string): Kernel {
  return (call) => mapped(call, (x) => call.node(operator, [x]));
}

/** The input of a unary kernel is named x, except for softmax-like ones. */
function mapped(call: KernelCall, build: (value: Value) => Value): Traced {
  const [x] = call.list();
  const traced = defined(x, `input of ${call.name}`);
  return { ...traced, value: build(traced.value) };
}

function binary(operator: string): Kernel {
  return (call) =>
    elementwise(call.graph, [call.input('a'), call.input('b')], (a, b) =>
      call.node(operator, [a, b]),
    );
}

/** A float operand times, plus or over a neutral constant is the other operand, broadcast. */
function withNeutral(operator: string, neutral: number, sides: 'both' | 'right'): Kernel {
  const compute = binary(operator);
  return (call) => {
    const [a, b] = [call.input('a'), call.input('b')];
    const shape = broadcastShapes([a.shape, b.shape]);
    if (splatOf(b) === neutral && a.shape.length === shape.length) return { ...a, shape };
    if (sides === 'both' && splatOf(a) === neutral && b.shape.length === shape.length) {
      return { ...b, shape };
    }
    return compute(call);
  };
}

const addWithNeutral = withNeutral('Add', 0, 'both');

function logical(operator: string): Kernel {
  return (call) => {
    const operands = [call.input('a'), call.input('b')].map((operand) => ({
      ...operand,
      value: castTo(call.graph, operand.value, 'bool'),
    }));
    return elementwise(call.graph, operands, (a, b) =>
      call.node(operator, call.graph.provider === 'webgpu' ? sameSized(call, [a, b]) : [a, b]),
    );
  };
}

/**
 * Operands expanded to one size. Of two logical operators or powers that broadcast differently,
 * onnxruntime's WebGPU provider (1.30) runs the second with the shader of the first, or fails.
 */
function sameSized(call: KernelCall, values: readonly Value[]): readonly Value[] {
  const shape = broadcastShapes(values.map((value) => value.shape));
  return values.map((value) =>
    `${value.shape}` === `${shape}`
      ? value
      : call.node('Expand', [value, call.graph.integers(shape)]),
  );
}

function notEqual(call: KernelCall): Traced {
  const equal = binary('Equal')(call);
  return 'value' in equal
    ? { ...equal, value: call.node('Not', [equal.value]) }
    : defined(equal[0], 'x');
}

function select(call: KernelCall): Traced {
  const operands = [call.input('condition'), call.input('t'), call.input('e')];
  return elementwise(call.graph, operands, (condition, t, e) =>
    call.node('Where', [castTo(call.graph, condition, 'bool'), t, e]),
  );
}

function squaredDifference(call: KernelCall): Traced {
  return elementwise(call.graph, [call.input('a'), call.input('b')], (a, b) => {
    const difference = call.node('Sub', [a, b]);
    return call.node('Mul', [difference, difference]);
  });
}

/** The sign as -1, 0 or 1, by comparisons where onnxruntime's WebGPU provider lacks the operator. */
function sign(call: KernelCall): Traced {
  return mapped(call, (x) => {
    if (call.graph.provider !== 'webgpu') return call.node('Sign', [x]);
    const zero = call.graph.constant(x.type, [], typedNumber(0, x.type));
    const [positive, negative] = ['Greater', 'Less'].map((operator) =>
      castTo(call.graph, call.node(operator, [x, zero]), x.type),
    );
    return call.node('Sub', [positive, negative]);
  });
}

/** Times any positive float32 that is not denormal, at least 1. */
const steep = 1e38;

/**
 * 1 where x > 0, `alpha` elsewhere (tfjs Step). onnxruntime's comparisons and signs use one thread of
 * the CPU; min(max(x * steep, 0), 1) is one operator that uses all.
 */
function step(call: KernelCall): Traced {
  const alpha = call.number('alpha');
  return mapped(call, (x) => {
    if (alpha === 0 && call.graph.provider === 'cpu' && x.type === 'float32') {
      return call.node('HardSigmoid', [x], { alpha: { float: steep }, beta: { float: 0 } });
    }
    const positive = call.node('Greater', [x, call.graph.float(0)]);
    if (alpha === 0) return castTo(call.graph, positive, 'float32');
    return call.node('Where', [positive, call.graph.float(1), call.graph.float(alpha)]);
  });
}

/** Gradients that meet at a branch may both be interleaved. */
function add(call: KernelCall): ReturnType<Kernel> {
  const [a, b] = [call.input('a'), call.input('b')];
  const isAlike = `${a.axes}` === `${b.axes}`;
  const sum = isAlike ? sumOfInterleaved(call.graph, a.value, b.value) : undefined;
  return sum === undefined ? addWithNeutral(call) : { ...a, value: sum };
}

function addAll(call: KernelCall): Traced {
  const terms = call.list();
  return terms.reduce((sum, term) =>
    elementwise(call.graph, [sum, term], (a, b) => call.node('Add', [a, b])),
  );
}

function power(call: KernelCall): Traced {
  const isWebgpu = call.graph.provider === 'webgpu';
  return elementwise(call.graph, [call.input('a'), call.input('b')], (a, b) =>
    call.node('Pow', isWebgpu ? sameSized(call, [a, b]) : [a, b]),
  );
}

function floorDivide(call: KernelCall): Traced {
  return elementwise(call.graph, [call.input('a'), call.input('b')], (a, b) => {
    const quotient = call.node('Div', [
      castTo(call.graph, a, 'float32'),
      castTo(call.graph, b, 'float32'),
    ]);
    return castTo(call.graph, call.node('Floor', [quotient]), a.type);
  });
}

/** Remainder with the sign of the divisor, as tfjs and Python define it. */
function modulo(call: KernelCall): Traced {
  return elementwise(call.graph, [call.input('a'), call.input('b')], (a, b) => {
    if (a.type !== 'float32') return call.node('Mod', [a, b]);
    const whole = call.node('Floor', [call.node('Div', [a, b])]);
    return call.node('Sub', [a, call.node('Mul', [whole, b])]);
  });
}

function clip(call: KernelCall): Traced {
  return mapped(call, (x) => {
    const limit = (name: string) =>
      call.graph.constant(x.type, [], typedNumber(call.number(name), x.type));
    return call.node('Clip', [x, limit('clipValueMin'), limit('clipValueMax')]);
  });
}

function cast(call: KernelCall): Traced {
  const type = elementTypeOf(call.text('dtype'));
  return mapped(call, (x) => castTo(call.graph, x, type));
}

function fill(call: KernelCall): Traced {
  const type = elementTypeOf(
    call.attribute('dtype') === undefined ? 'float32' : call.text('dtype'),
  );
  return filled(call.graph, call.numbers('shape'), call.number('value'), type);
}

function like(number: number): Kernel {
  return (call) => {
    const { shape, value } = call.input('x');
    return filled(call.graph, shape, number, value.type);
  };
}

/** Applies a chain of unary operators. */
function chain(...operators: readonly string[]): Kernel {
  return (call) =>
    mapped(call, (x) => operators.reduce((value, operator) => call.node(operator, [value]), x));
}

/** The derivative of ELU at an output y, times dy (tfjs EluGrad). */
function eluGradient(call: KernelCall): Traced {
  return elementwise(call.graph, [call.input('dy'), call.input('y')], (dy, y) => {
    const positive = call.node('GreaterOrEqual', [y, call.graph.float(0)]);
    const scaled = call.node('Mul', [dy, call.node('Add', [y, call.graph.float(1)])]);
    return call.node('Where', [positive, dy, scaled]);
  });
}

export const elementwiseKernels: KernelTable = {
  Abs: unary('Abs'),
  Ceil: unary('Ceil'),
  Cos: unary('Cos'),
  Elu: unary('Elu'),
  EluGrad: eluGradient,
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Expm1: (call) =>
    mapped(call, (x) => call.node('Sub', [call.node('Exp', [x]), call.graph.float(1)])),
  Floor: unary('Floor'),
  Identity: (call) => mapped(call, (x) => x),
  IsNan: unary('IsNaN'),
  IsInf: unary('IsInf'),
  LeakyRelu: (call) =>
    mapped(call, (x) => call.node('LeakyRelu', [x], { alpha: { float: call.number('alpha') } })),
  Log: unary('Log'),
  Log1p: (call) =>
    mapped(call, (x) => call.node('Log', [call.node('Add', [x, call.graph.float(1)])])),
  LogicalNot: unary('Not'),
  Neg: unary('Neg'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Relu6: (call) =>
    mapped(call, (x) => call.node('Clip', [x, call.graph.float(0), call.graph.float(6)])),
  Round: unary('Round'),
  Rsqrt: chain('Sqrt', 'Reciprocal'),
  Sigmoid: unary('Sigmoid'),
  Sign: sign,
  Sin: unary('Sin'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Square: (call) => mapped(call, (x) => call.node('Mul', [x, x])),
  Step: step,
  Tanh: unary('Tanh'),
  ClipByValue: clip,
  Cast: cast,
  Fill: fill,
  ZerosLike: like(0),
  OnesLike: like(1),
  Add: add,
  AddN: addAll,
  Sub: withNeutral('Sub', 0, 'right'),
  Multiply: withNeutral('Mul', 1, 'both'),
  RealDiv: withNeutral('Div', 1, 'right'),
  FloorDiv: floorDivide,
  Mod: modulo,
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: power,
  SquaredDifference: squaredDifference,
  Greater: binary('Greater'),
  GreaterEqual: binary('GreaterOrEqual'),
  Less: binary('Less'),
  LessEqual: binary('LessOrEqual'),
  Equal: binary('Equal'),
  NotEqual: notEqual,
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  Select: select,
};
