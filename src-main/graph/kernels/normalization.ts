import { NCHW, arranged, contiguous, placed, type Traced } from '../layout.ts';
import { elementwise } from './elementwise.ts';
import type { KernelCall, KernelTable } from './kernel.ts';

/**
 * Normalizes with given statistics, per channel. One fused node where the data lie as NCHW; a
 * multiplication and an addition where the channels lie last.
 */
function batchNorm(call: KernelCall): Traced {
  const { graph } = call;
  const x = call.input('x');
  const [scale, offset, mean, variance] = ['scale', 'offset', 'mean', 'variance'].map((name) =>
    contiguous(graph, call.input(name)),
  );
  const epsilon = call.number('varianceEpsilon');
  if (x.shape.length === 4 && `${x.axes}` === `${NCHW}`) {
    const inputs = [arranged(graph, x, NCHW), scale, offset, mean, variance];
    return placed(call.node('BatchNormalization', inputs, { epsilon: { float: epsilon } }), NCHW);
  }
  const deviation = call.node('Sqrt', [call.node('Add', [variance, graph.float(epsilon)])]);
  const factor = call.node('Div', [scale, deviation]);
  const shift = call.node('Sub', [offset, call.node('Mul', [mean, factor])]);
  const perChannel = [factor, shift].map((value) => ({ value, shape: value.shape, axes: [0] }));
  return perChannel.reduce(
    (result, operand, i) =>
      elementwise(graph, [result, operand], (a, b) => call.node(i === 0 ? 'Mul' : 'Add', [a, b])),
    x,
  );
}

export const normalizationKernels: KernelTable = {
  FusedBatchNorm: batchNorm,
};
