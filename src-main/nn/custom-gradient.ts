import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * An operation on `inputs` with a hand-written gradient. `forward` returns the value and what the
 * backward pass needs; `backward` gets these and returns one gradient for each input. The value must
 * be made inside `forward`: a tensor made outside would be differentiated twice.
 */
export function withGradient<Saved extends readonly Tensor[]>(
  inputs: readonly Tensor[],
  forward: () => { readonly value: Tensor; readonly saved: Saved },
  backward: (dy: Tensor, saved: Saved) => Tensor[],
): Tensor {
  const operation = tf.customGrad((...args) => {
    const { value, saved } = forward();
    const save = args.at(-1);
    if (typeof save === 'function') save([...saved]);
    return { value, gradFunc: (dy: Tensor, kept: Tensor[]) => backward(dy, inPlaces(saved, kept)) };
  });
  return operation(...inputs);
}

/** The kept tensors have the places of the saved ones; this carries the tuple type over. */
function inPlaces<Saved extends readonly Tensor[]>(saved: Saved, kept: readonly Tensor[]): Saved {
  if (!matches(saved, kept)) throw new Error('The backward pass lost saved tensors.');
  return kept;
}

function matches<Saved extends readonly Tensor[]>(
  saved: Saved,
  kept: readonly Tensor[],
): kept is Saved {
  return saved.length === kept.length;
}
