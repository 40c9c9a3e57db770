import { contiguous, plain } from '../layout.ts';
import { KEEP_ROWS, SPREAD_ROWS } from '../own-kernels.ts';
import type { Kernel, KernelTable } from './kernel.ts';

/** Marks for `passes/kept-rows.ts`, which turns them into operators; other devices keep all rows. */
function marked(operator: string): Kernel {
  return (call) => {
    const { graph } = call;
    const x = call.input('x');
    if (graph.provider !== 'cpu') return x;
    const isKept = contiguous(graph, call.input('isKept'));
    return plain(call.node(operator, [contiguous(graph, x), isKept]));
  };
}

export const keptRowsKernels: KernelTable = {
  [KEEP_ROWS]: marked(KEEP_ROWS),
  [SPREAD_ROWS]: marked(SPREAD_ROWS),
};
