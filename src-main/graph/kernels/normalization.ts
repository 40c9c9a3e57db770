import type { Value } from '../ir.ts';
import { NCHW, arranged, contiguous, placed, plain, type Traced } from '../layout.ts';
import { STANDARDIZE } from '../own-kernels.ts';
import { elementwise, filled } from './elementwise.ts';
import type { KernelCall, KernelTable } from './kernel.ts';

/**
 * Normalizes with given statistics, per channel; scale and offset may be left out. One fused node where
 * the data lie as NCHW; a multiplication and an addition where the channels lie last.
 */
function batchNorm(call: KernelCall): Traced {
  const { graph } = call;
  const x = call.input('x');
  const { shape } = call.input('mean');
  const statistic = (name: string, missing: number): Value =>
    contiguous(graph, call.optionalInput(name) ?? filled(graph, shape, missing, 'float32'));
  const [scale, offset] = [statistic('scale', 1), statistic('offset', 0)];
  const [mean, variance] = [statistic('mean', 0), statistic('variance', 1)];
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

/** Along the last axis: in one pass over the numbers where onnxruntime's operator stays on the device. */
function standardize(call: KernelCall): readonly Traced[] {
  const { graph } = call;
  const x = contiguous(graph, call.input('x'));
  const epsilon = call.number('epsilon');
  if (graph.provider === 'cpu') {
    const ones = call.node('Expand', [graph.float(1), graph.integers(x.shape.slice(-1))]);
    const settings = { axis: -1, epsilon: { float: epsilon } };
    return graph.nodeWithOutputs('LayerNormalization', [x, ones], settings, 3).map(plain);
  }
  const last = graph.integers([x.shape.length - 1]);
  const mean = call.node('ReduceMean', [x, last]);
  const centered = call.node('Sub', [x, mean]);
  const variance = call.node('ReduceMean', [call.node('Mul', [centered, centered]), last]);
  const deviation = call.node('Sqrt', [call.node('Add', [variance, graph.float(epsilon)])]);
  const inverse = call.node('Reciprocal', [deviation]);
  return [call.node('Mul', [centered, inverse]), mean, inverse].map(plain);
}

export const normalizationKernels: KernelTable = {
  [STANDARDIZE]: standardize,
  FusedBatchNorm: batchNorm,
};
