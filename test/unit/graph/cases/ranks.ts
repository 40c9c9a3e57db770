import {
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';

function dimension(tensor: Tensor, axis: number): number {
  return tensor.shape[axis] ?? 1;
}

/** A tensor as one of rank 1. */
export function rank1(x: Tensor): Tensor1D {
  return reshape(x, [dimension(x, 0)]);
}

/** A tensor as one of rank 2. */
export function rank2(x: Tensor): Tensor2D {
  return reshape(x, [dimension(x, 0), dimension(x, 1)]);
}

/** A tensor as one of rank 4. */
export function rank4(x: Tensor): Tensor4D {
  return reshape(x, [dimension(x, 0), dimension(x, 1), dimension(x, 2), dimension(x, 3)]);
}
