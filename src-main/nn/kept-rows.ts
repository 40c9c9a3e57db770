import { engine, getKernel } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { KEEP_ROWS, SPREAD_ROWS } from '../graph/own-kernels.ts';
import { withGradient } from './custom-gradient.ts';

/**
 * The rows of x `[rows, ...]` whose entry in `isKept` `[rows]` is not 0; at least one must be. The others
 * get no gradient.
 *
 * How many these are is known in a run only, so the result goes by the shape of all rows. What is made of
 * it must not depend on the rows that are left out, other than by rows of its own: where they cannot be
 * left out, they are still there, as they are on devices without the operators for it.
 */
export function keptRows<T extends Tensor>(x: T, isKept: Tensor): T {
  if (getKernel(KEEP_ROWS, engine().backendName) === undefined) return x;
  const kept = withGradient(
    [x],
    () => ({
      value: engine().runKernel<Tensor>(KEEP_ROWS, { x, isKept }),
      saved: [isKept] as const,
    }),
    (dy, [mask]) => [engine().runKernel<Tensor>(SPREAD_ROWS, { x: dy, isKept: mask })],
  );
  if (!hasShapeOf(x, kept)) throw new Error('Rows were left out of the shape.');
  return kept;
}

function hasShapeOf<T extends Tensor>(x: T, result: Tensor): result is T {
  return `${x.shape}` === `${result.shape}`;
}
