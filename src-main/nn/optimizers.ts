import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor, HostTensors, NamedTensors, TensorSpec } from '../graph/types.ts';
import { assertNever, defined } from '../lib/errors.ts';
import { together } from './together.ts';

export type OptimizerKind = 'lars' | 'sgd' | 'adamw';

/** What stays the same over a run. The learning rate changes and is therefore an input. */
export interface OptimizerOptions {
  readonly weightDecay: number;
  /** Of LARS and SGD; 0.9 when absent. AdamW has its own two, 0.9 and 0.999. */
  readonly momentum?: number;
}

/** The step's scalars: learning rate, then AdamW's two bias corrections. A batch input. */
export const optimizerScalarsSpec: TensorSpec = { shape: [3], dtype: 'float32' };

/**
 * Values for the input `optimizerScalarsSpec` of update number `step` (0-based).
 * Bias corrections are 1 - beta1^(step+1) and sqrt(1 - beta2^(step+1)).
 */
export function optimizerScalars(learningRate: number, step: number): Float32Array {
  return Float32Array.of(
    learningRate,
    1 - adamBeta1 ** (step + 1),
    Math.sqrt(1 - adamBeta2 ** (step + 1)),
  );
}

/** Zeroed buffers for the given parameters, named `optimizer.<buffer>.<parameter name>`. */
export function initOptimizer(kind: OptimizerKind, params: HostTensors): HostTensors {
  const buffers: Record<string, HostTensor> = {};
  for (const [name, { shape, data }] of Object.entries(params)) {
    for (const buffer of bufferNames[kind]) {
      const zeros = new Float32Array(data.length);
      buffers[`optimizer.${buffer}.${name}`] = { shape, dtype: 'float32', data: zeros };
    }
  }
  return buffers;
}

/**
 * One update of all parameters; each gradient has its parameter's name and shape. `buffers` must
 * hold at least the names of `initOptimizer` (the whole state may be passed).
 *
 * - `lars` (You et al. 2017, as SlotCon uses it): the step of a tensor that is not 1-D is scaled to
 *   0.001 |p| / |g + decay p|; 1-D tensors are neither scaled nor decayed.
 * - `sgd`: momentum without dampening or Nesterov; every parameter is decayed.
 * - `adamw` (Loshchilov and Hutter 2019): decoupled decay, none for 1-D tensors.
 */
export function optimizerUpdate(
  kind: OptimizerKind,
  params: NamedTensors,
  grads: NamedTensors,
  buffers: NamedTensors,
  options: OptimizerOptions & { readonly scalars: Tensor },
): { readonly params: NamedTensors; readonly buffers: NamedTensors } {
  const update = makeUpdate(kind, options);
  const updated = (...[param, grad, ...own]: Tensor[]): Tensor[] => {
    const next = update(defined(param, 'parameter'), defined(grad, 'gradient'), own);
    return [next.param, ...next.buffers];
  };
  const bufferKeys = (name: string): string[] =>
    bufferNames[kind].map((buffer) => `optimizer.${buffer}.${name}`);
  /** The parameter, its gradient, its buffers. */
  const before = (name: string): Tensor[] => [
    defined(params[name], name),
    defined(grads[name], `the gradient of ${name}`),
    ...bufferKeys(name).map((key) => defined(buffers[key], key)),
  ];
  const names = Object.keys(params);
  const vectors = names.filter((name) => params[name]?.rank === 1);
  const wide = names.filter((name) => params[name]?.rank !== 1);
  const nextVectors = together(vectors.map(before), updated);
  const next = new Map([
    ...wide.map((name) => [name, updated(...before(name))] as const),
    ...vectors.map((name, i) => [name, defined(nextVectors[i], name)] as const),
  ]);
  const place = (name: string, i: number): Tensor => defined(next.get(name)?.[i], name);
  return {
    params: Object.fromEntries(names.map((name) => [name, place(name, 0)])),
    buffers: Object.fromEntries(
      names.flatMap((name) => bufferKeys(name).map((key, i) => [key, place(name, i + 1)])),
    ),
  };
}

type Update = (
  param: Tensor,
  grad: Tensor,
  buffers: readonly Tensor[],
) => { readonly param: Tensor; readonly buffers: readonly Tensor[] };

function makeUpdate(
  kind: OptimizerKind,
  options: OptimizerOptions & { readonly scalars: Tensor },
): Update {
  const { scalars, weightDecay, momentum = 0.9 } = options;
  const learningRate = tf.slice(scalars, [0], [1]);
  switch (kind) {
    case 'lars':
    case 'sgd':
      return (param, grad, [before]) => {
        const direction =
          kind === 'sgd'
            ? decayed(param, grad, weightDecay)
            : larsDirection(param, grad, weightDecay);
        const buffer = tf.add(tf.mul(defined(before, 'momentum'), momentum), direction);
        return { param: tf.sub(param, tf.mul(buffer, learningRate)), buffers: [buffer] };
      };
    case 'adamw': {
      const correction2 = tf.slice(scalars, [2], [1]);
      const stepSize = tf.div(learningRate, tf.slice(scalars, [1], [1]));
      const keep = tf.sub(1, tf.mul(learningRate, weightDecay));
      return (param, grad, [first, second]) => {
        const m = average(defined(first, 'first moment'), grad, adamBeta1);
        const v = average(defined(second, 'second moment'), tf.square(grad), adamBeta2);
        const denominator = tf.add(tf.div(tf.sqrt(v), correction2), adamEpsilon);
        const kept = param.rank === 1 || weightDecay === 0 ? param : tf.mul(param, keep);
        return {
          param: tf.sub(kept, tf.mul(tf.div(m, denominator), stepSize)),
          buffers: [m, v],
        };
      };
    }
    default:
      return assertNever(kind);
  }
}

function decayed(param: Tensor, grad: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? grad : tf.add(grad, tf.mul(param, weightDecay));
}

function larsDirection(param: Tensor, grad: Tensor, weightDecay: number): Tensor {
  if (param.rank === 1) return grad;
  const direction = decayed(param, grad, weightDecay);
  const paramSquares = tf.sum(tf.square(param));
  const directionSquares = tf.sum(tf.square(direction));
  const ratio = tf.sqrt(tf.div(paramSquares, tf.maximum(directionSquares, smallestNormal)));
  const trust = tf.where(
    tf.greater(tf.minimum(paramSquares, directionSquares), 0),
    tf.mul(ratio, larsTrust),
    tf.onesLike(ratio),
  );
  return tf.mul(direction, trust);
}

function average(before: Tensor, value: Tensor, beta: number): Tensor {
  return tf.add(tf.mul(before, beta), tf.mul(value, 1 - beta));
}

const adamBeta1 = 0.9;
const adamBeta2 = 0.999;
const adamEpsilon = 1e-8;
const larsTrust = 0.001;
const smallestNormal = 1.2e-38;

const bufferNames: Readonly<Record<OptimizerKind, readonly string[]>> = {
  lars: ['momentum'],
  sgd: ['momentum'],
  adamw: ['first', 'second'],
};
