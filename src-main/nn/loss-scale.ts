import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor, HostTensors, NamedTensors } from '../graph/types.ts';
import { parameter } from './tensors.ts';

/** The factor on the loss, `[1]`. */
const scaleName = 'amp.scale';
/** Steps with finite gradients since the factor last changed, `[1]`. */
const goodStepsName = 'amp.goodSteps';

// As in PyTorch's GradScaler.
const startScale = 65536;
const growthFactor = 2;
const backoffFactor = 0.5;
const growthSteps = 2000;

/**
 * What a training in 16 bit keeps beside its other state. Its gradients are those of the loss times
 * a factor, because small ones would round to 0; the factor is as large as no gradient overflows.
 */
export function initLossScale(): HostTensors {
  const one = (value: number): HostTensor => ({
    shape: [1],
    dtype: 'float32',
    data: Float32Array.of(value),
  });
  return { [scaleName]: one(startScale), [goodStepsName]: one(0) };
}

/** The factor in a state, `[1]`. */
export function lossScale(state: NamedTensors): Tensor {
  return parameter(state, scaleName);
}

/**
 * The update of a training in 16 bit: `update` where every gradient is finite. Else its tensors stay
 * as they are in `state`, and the factor is halved. After 2000 good steps in a row it is doubled.
 * @param gradients of the loss itself
 */
export function guardedUpdate(
  state: NamedTensors,
  gradients: NamedTensors,
  update: NamedTensors,
): NamedTensors {
  const isGood = areFinite(Object.values(gradients));
  const guarded = Object.entries(update).map(([name, next]): [string, Tensor] => [
    name,
    tf.where(isGood, next, parameter(state, name)),
  ]);
  return { ...Object.fromEntries(guarded), ...nextScale(state, isGood) };
}

function nextScale(state: NamedTensors, isGood: Tensor): NamedTensors {
  const scale = lossScale(state);
  const goodSteps = tf.add(parameter(state, goodStepsName), 1);
  const grown = tf.mul(scale, growthFactor);
  const isDue = tf.greaterEqual(goodSteps, growthSteps);
  // past the largest float32 it could not come down again
  const kept = tf.where(tf.logicalAnd(isDue, tf.less(grown, finiteLimit)), grown, scale);
  const counted = tf.where(isDue, tf.zerosLike(goodSteps), goodSteps);
  return {
    [scaleName]: tf.where(isGood, kept, tf.mul(scale, backoffFactor)),
    [goodStepsName]: tf.where(isGood, counted, tf.zerosLike(goodSteps)),
  };
}

/**
 * Whether all numbers are finite, `[1]`. By a sum, which NaN and infinity go through; the operators
 * that ask for them leave some graphics cards for the CPU.
 */
function areFinite(tensors: readonly Tensor[]): Tensor {
  const sums = tensors.map((tensor) => tf.reshape(tf.sum(tf.abs(tensor)), [1]));
  return tf.less(tf.addN(sums), finiteLimit);
}

/** Below the largest float32 by so much that no compiler may take a comparison for decided. */
const finiteLimit = 1e38;
