import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { InputSpec, OpCase } from '../check-op.ts';
import { floats, given, integers } from './inputs.ts';

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

const positive = [0.2, 2] as const;
const wide = [-8, 8] as const;
/** Halves of both signs: where rounding rules differ. */
const halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -1.2, 1.7, 0];
const signed = [-7, -3, -1, 0, 1, 3, 7, 5];
const divisors = [2, -2, 3, -3, 5];

const smooth: Readonly<Record<string, readonly [Unary, (readonly [number, number])?]>> = {
  abs: [(x) => tf.abs(x)],
  clipByValue: [(x) => tf.clipByValue(x, -0.4, 0.6)],
  cos: [(x) => tf.cos(x), wide],
  elu: [(x) => tf.elu(x), wide],
  erf: [(x) => tf.erf(x), wide],
  exp: [(x) => tf.exp(x)],
  expm1: [(x) => tf.expm1(x)],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.1)],
  log: [(x) => tf.log(x), positive],
  log1p: [(x) => tf.log1p(x), positive],
  neg: [(x) => tf.neg(x)],
  reciprocal: [(x) => tf.reciprocal(x), positive],
  relu: [(x) => tf.relu(x)],
  relu6: [(x) => tf.relu6(x), wide],
  rsqrt: [(x) => tf.rsqrt(x), positive],
  sigmoid: [(x) => tf.sigmoid(x), wide],
  sin: [(x) => tf.sin(x), wide],
  softplus: [(x) => tf.softplus(x), wide],
  sqrt: [(x) => tf.sqrt(x), positive],
  square: [(x) => tf.square(x)],
  tanh: [(x) => tf.tanh(x), wide],
  clone: [(x) => tf.clone(x)],
  'cast to float': [(x) => tf.cast(x, 'float32')],
  'plus 0, times 1, over 1': [(x) => tf.div(tf.mul(tf.sub(tf.add(x, 0), 0), 1), 1)],
  'times onesLike plus zerosLike': [(x) => tf.add(tf.mul(x, tf.onesLike(x)), tf.zerosLike(x))],
  'twice in one expression': [(x) => tf.add(tf.mul(x, x), tf.sub(x, tf.mul(x, 3)))],
};

const flat: Readonly<Record<string, Unary>> = {
  ceil: (x) => tf.ceil(x),
  floor: (x) => tf.floor(x),
  round: (x) => tf.round(x),
  sign: (x) => tf.sign(x),
  step: (x) => tf.step(x),
  'step with slope': (x) => tf.step(x, 0.3),
  'cast to int32': (x) => tf.cast(x, 'int32'),
  'cast to bool': (x) => tf.cast(x, 'bool'),
  'cast to bool and back': (x) => tf.cast(tf.cast(x, 'bool'), 'float32'),
  'bool to int32': (x) => tf.cast(tf.greater(x, 0), 'int32'),
  'fill, zeros and ones': (x) =>
    tf.add(x, tf.add(tf.fill([2, 5], 3), tf.add(tf.ones([5]), tf.zeros([])))),
};

const binary: Readonly<Record<string, readonly [Binary, (readonly [number, number])?]>> = {
  add: [(a, b) => tf.add(a, b)],
  sub: [(a, b) => tf.sub(a, b)],
  mul: [(a, b) => tf.mul(a, b)],
  div: [(a, b) => tf.div(a, b), positive],
  pow: [(a, b) => tf.pow(a, b), positive],
  mod: [(a, b) => tf.mod(a, b), positive],
};

/** tfjs's gradients of these do not sum over broadcast axes. */
const binaryOfEqualShapes: Readonly<Record<string, Binary>> = {
  maximum: (a, b) => tf.maximum(a, b),
  minimum: (a, b) => tf.minimum(a, b),
  squaredDifference: (a, b) => tf.squaredDifference(a, b),
};

const comparisons: Readonly<Record<string, Binary>> = {
  greater: (a, b) => tf.greater(a, b),
  greaterEqual: (a, b) => tf.greaterEqual(a, b),
  less: (a, b) => tf.less(a, b),
  lessEqual: (a, b) => tf.lessEqual(a, b),
  equal: (a, b) => tf.equal(a, b),
  notEqual: (a, b) => tf.notEqual(a, b),
  logicalAnd: (a, b) => tf.logicalAnd(tf.cast(a, 'bool'), tf.cast(b, 'bool')),
  logicalOr: (a, b) => tf.logicalOr(tf.cast(a, 'bool'), tf.cast(b, 'bool')),
  'logicalNot of less': (a, b) => tf.logicalNot(tf.less(a, b)),
};

const whole: Readonly<Record<string, Binary>> = {
  add: (a, b) => tf.add(a, b),
  sub: (a, b) => tf.sub(a, b),
  mul: (a, b) => tf.mul(a, b),
  floorDiv: (a, b) => tf.floorDiv(a, b),
  mod: (a, b) => tf.mod(a, b),
  maximum: (a, b) => tf.maximum(a, b),
  minimum: (a, b) => tf.minimum(a, b),
  equal: (a, b) => tf.equal(a, b),
  less: (a, b) => tf.less(a, b),
  'div of integers': (a, b) => tf.div(a, b),
  'float plus integer': (a, b) => tf.add(tf.cast(a, 'float32'), b),
};

const wholeUnary: Readonly<Record<string, Unary>> = {
  abs: (x) => tf.abs(x),
  neg: (x) => tf.neg(x),
  relu: (x) => tf.relu(x),
  square: (x) => tf.square(x),
  clipByValue: (x) => tf.clipByValue(x, -2, 3),
  onesLike: (x) => tf.onesLike(x),
  'to float': (x) => tf.mul(tf.cast(x, 'float32'), 0.5),
  'to bool': (x) => tf.cast(x, 'bool'),
};

/** Pairs of shapes that broadcast in every way. */
const pairs: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [2, 3, 4],
    [2, 3, 4],
  ],
  [[2, 3, 4], [4]],
  [[], [2, 3, 4]],
  [
    [3, 1],
    [2, 3, 4],
  ],
  [
    [2, 1, 4],
    [1, 3, 1],
  ],
];

/** What networks do: activations with per-channel vectors and with other activations. */
const networkPairs: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[2, 3, 4, 5], [5]],
  [
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ],
  [
    [2, 3, 4, 5],
    [2, 1, 1, 5],
  ],
  [
    [2, 3, 4, 1],
    [2, 3, 4, 5],
  ],
];

function title(shapes: readonly (readonly number[])[]): string {
  return shapes.map((shape) => `[${shape.join()}]`).join(' and ');
}

const selections: readonly (readonly InputSpec[])[] = [
  [integers([2, 3, 4], [0, 1, 1, 0, 1]), floats([2, 3, 4]), floats([2, 3, 4])],
  [integers([2, 3, 1], [0, 1, 1, 0, 1]), floats([2, 3, 4]), floats([2, 3, 4])],
  [integers([3, 1], [0, 1, 1]), floats([2, 3, 4]), floats([])],
];

export const elementwiseCases: readonly OpCase[] = [
  ...Object.entries(smooth).map(([name, [op, range]]) => ({
    name,
    inputs: [floats([2, 3, 4], range)],
    op,
  })),
  ...Object.entries(smooth).map(([name, [op, range]]) => ({
    name: `${name} of a scalar`,
    inputs: [floats([], range)],
    op,
  })),
  ...Object.entries(flat).map(([name, op]) => ({
    name,
    inputs: [given([2, 5], halves)],
    op,
    gradients: false,
  })),
  ...Object.entries(binary).flatMap(([name, [op, range]]) =>
    pairs.map((shapes) => ({
      name: `${name} of ${title(shapes)}`,
      inputs: shapes.map((shape) => floats(shape, range)),
      op,
    })),
  ),
  ...Object.entries(binaryOfEqualShapes).flatMap(([name, op]) =>
    pairs.map(([first, second], i) => ({
      name: `${name} of ${title([first, second])}`,
      inputs: [floats(first), floats(second)],
      op,
      gradients: i === 0,
    })),
  ),
  ...networkPairs.flatMap((shapes) => [
    {
      name: `mul of ${title(shapes)}`,
      inputs: shapes.map((shape) => floats(shape)),
      op: (a: Tensor, b: Tensor) => tf.mul(a, b),
    },
    {
      name: `sub of ${title(shapes)}, with different layouts`,
      inputs: shapes.map((shape) => floats(shape)),
      op: (a: Tensor, b: Tensor) => tf.sub(tf.relu(a), tf.transpose(tf.transpose(tf.relu(b)))),
    },
  ]),
  ...Object.entries(comparisons).flatMap(([name, op]) =>
    pairs.map((shapes) => ({
      name: `${name} of ${title(shapes)}`,
      inputs: shapes.map((shape, i) => given(shape, signed.slice(i))),
      op,
      gradients: false,
    })),
  ),
  ...Object.entries(whole).map(([name, op]) => ({
    name: `${name} of int32`,
    inputs: [integers([2, 5, 4], signed), integers([5, 1], divisors)],
    op,
    gradients: false,
  })),
  ...Object.entries(wholeUnary).map(([name, op]) => ({
    name: `${name} of int32`,
    inputs: [integers([2, 4], signed)],
    op,
    gradients: false,
  })),
  {
    name: 'mod and floorDiv of floats of both signs',
    inputs: [given([2, 4], signed), given([4], divisors)],
    op: (a, b) => [tf.mod(a, b), tf.floorDiv(a, b)],
    gradients: false,
  },
  {
    name: 'isNaN and isInf',
    inputs: [given([2, 4], [Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0])],
    op: (x) => [tf.isNaN(x), tf.isInf(x)],
    gradients: false,
  },
  ...selections.map((inputs, i) => ({
    name: `where, form ${i + 1}`,
    inputs,
    op: (condition: Tensor, t: Tensor, e: Tensor) => tf.where(tf.cast(condition, 'bool'), t, e),
    gradients: i === 0, // tfjs's gradient does not sum over broadcast axes
  })),
  {
    name: 'addN',
    inputs: [floats([2, 3]), floats([2, 3]), floats([2, 3])],
    op: (a, b, c) => tf.addN([a, b, c]),
  },
  {
    name: 'bytes',
    inputs: [{ shape: [2, 3, 4], dtype: 'uint8', values: [0, 1, 127, 128, 255] }],
    op: (x) => tf.div(x, 255),
    gradients: false,
  },
];
