import type { InputSpec } from '../check-op.ts';

/** Random floats, by default from [-1, 1). */
export function floats(shape: readonly number[], range?: readonly [number, number]): InputSpec {
  return range === undefined ? { shape } : { shape, range };
}

/** Given floats, repeated until the tensor is full. */
export function given(shape: readonly number[], values: readonly number[]): InputSpec {
  return { shape, values };
}

/** Given integers, repeated until the tensor is full. */
export function integers(shape: readonly number[], values: readonly number[]): InputSpec {
  return { shape, values, dtype: 'int32' };
}
