import '../graph/gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';

/** What a differentiated function gives: the scalar to minimise and tensors to hand on. */
export interface Objective {
  readonly loss: Tensor;
  /** Loss parts, next running statistics...; they carry no gradient. */
  readonly side: NamedTensors;
  /** `[1]`: the loss is differentiated times this, and its gradients divided by it. */
  readonly scale?: Tensor | undefined;
}

/**
 * Gradients of `objective().loss` with respect to `params`, by name, beside the side tensors.
 * tfjs frees whatever is made while it records, except what is kept: copies of the side tensors are
 * kept, then handed to the caller's scope.
 */
export function gradientsOf(
  params: NamedTensors,
  objective: () => Objective,
): { readonly grads: NamedTensors; readonly side: NamedTensors } {
  const names = Object.keys(params);
  let kept: NamedTensors = {};
  const factor: { scale?: Tensor | undefined } = {};
  const differentiate = tf.grads(() => {
    const { loss, side, scale } = objective();
    factor.scale = scale;
    kept = Object.fromEntries(
      Object.entries(side).map(([name, tensor]) => [name, tf.keep(tf.clone(tensor))]),
    );
    return tf.reshape(scale === undefined ? loss : tf.mul(loss, scale), []);
  });
  const scaled = differentiate(names.map((name) => defined(params[name], name)));
  const grads = unscaled(scaled, factor.scale);
  const side = Object.entries(kept).map(([name, tensor]): [string, Tensor] => {
    const handedOn = tf.clone(tensor);
    tensor.dispose();
    return [name, handedOn];
  });
  return {
    grads: Object.fromEntries(names.map((name, i) => [name, defined(grads[i], name)])),
    side: Object.fromEntries(side),
  };
}

function unscaled(gradients: readonly Tensor[], scale: Tensor | undefined): readonly Tensor[] {
  if (scale === undefined) return gradients;
  const factor = tf.reshape(tf.reciprocal(scale), []);
  return gradients.map((gradient) => tf.mul(gradient, factor));
}
