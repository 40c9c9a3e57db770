import type { Tensor } from '@tensorflow/tfjs-core';

/** How a network is applied. */
export interface Mode {
  /** True: batch norm uses the statistics of the batch; false: the running ones. */
  readonly training: boolean;
  /**
   * Collects the next running statistics under their parameter names when training. A second pass
   * continues from the entries of the first, as two calls of a module in training mode do.
   */
  readonly updates?: Map<string, Tensor>;
  /**
   * How many batches of equal size lie one behind another along the first axis; 1 when absent. Batch norm
   * takes the statistics of each alone and moves the running ones by one after another, as a call for
   * each batch would.
   */
  readonly batches?: number;
  /** Products have 16 bits, which sums over the pixels of whole maps would overflow. */
  readonly isHalf?: boolean;
}

export const INFERENCE: Mode = { training: false };
