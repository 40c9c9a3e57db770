import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { defined } from '../lib/errors.ts';

/**
 * `update`, which works element by element along the last axis, of many short tensors at once: they are
 * joined along that axis, and the results are cut again. A network has hundreds of vectors of channels,
 * and every operation costs more than their numbers do.
 * @param items the arguments of `update` for every item, each with the item's length as its last axis
 * @param update returns vectors
 * @returns for every item its part of what `update` returned, `[length]` each
 */
export function together(
  items: readonly (readonly Tensor[])[],
  update: (...joined: Tensor[]) => readonly Tensor[],
): Tensor[][] {
  const [first] = items;
  if (first === undefined) return [];
  const joined = first.map((_, place) =>
    tf.concat(
      items.map((tensors) => defined(tensors[place], `tensor ${place}`)),
      -1,
    ),
  );
  const lengths = items.map(([tensor]) => tensor?.shape.at(-1) ?? 0);
  const parts = update(...joined).map((result) => tf.split(result, lengths));
  return items.map((_, item) => parts.map((part) => defined(part[item], `part ${item}`)));
}
