import type { BatchStatistics } from './running-statistics.ts';

/** How a network is applied. */
export interface Mode {
  /** True: batch norm uses the statistics of the batch; false: the running ones. */
  readonly training: boolean;
  /** Collects what batch norms see when training, in order; `nextStatistics` makes the running ones of it. */
  readonly statistics?: BatchStatistics[];
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
