import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { defined } from '../lib/errors.ts';

/** Views 1 and 2 of the same images. */
export type Pair<T> = readonly [T, T];

/** View 1 and view 2 of what holds view 1 of all images, then view 2. */
export function ofViews<T extends Tensor>(joined: T): Pair<T> {
  const [first, second] = tf.split<T>(joined, 2, 0);
  return [defined(first, 'view 1'), defined(second, 'view 2')];
}

export function both<T, U>([first, second]: Pair<T>, map: (value: T, view: 1 | 2) => U): Pair<U> {
  return [map(first, 1), map(second, 2)];
}
