import { describe, expect, it } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import { compileStep } from '../../../src-main/graph/compile.ts';
import { GraphBuilder, checkShapes, printGraph, type Graph } from '../../../src-main/graph/ir.ts';
import { recompute } from '../../../src-main/graph/passes/recompute.ts';
import { traceStep } from '../../../src-main/graph/trace.ts';
import { CPU } from '../../../src-main/graph/types.ts';
import { gelu } from '../../../src-main/nn/activation.ts';
import { rowNorm } from '../../../src-main/nn/batch-norm.ts';
import { gradientsOf } from '../../../src-main/nn/objective.ts';
import { rank2 } from '../../../src-main/nn/tensors.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { expectClose } from './check-op.ts';
import { trainingBatch, trainingState, trainingStep } from './tiny-training.ts';

/** Everything in these graphs is small; every pause of two nodes counts. */
const tiny = { minBytes: 4 * 20, minGap: 0.2 };

/** x W, plus a shift, rectified; used at once and, after `steps` products, once more. */
function pausing({ steps = 4, operator = 'Relu' } = {}): Graph {
  const graph = new GraphBuilder();
  const x = graph.input('x', 'float32', [5, 5]);
  const weight = graph.input('weight', 'float32', [5, 5]);
  const shift = graph.input('shift', 'float32', [5]);
  const product = graph.node('MatMul', [x, weight]);
  const activated = graph.node(operator, [graph.node('Add', [product, shift])]);
  let y = activated;
  for (let i = 0; i < steps; i++) y = graph.node('MatMul', [y, weight]);
  return graph.finish([
    { name: 'late', value: graph.node('Mul', [activated, y]) },
    { name: 'gradient', value: graph.node('Sub', [y, product]) },
  ]);
}

describe('recompute', () => {
  it('makes a rectified map again from what the product left', () => {
    const after = recompute(pausing(), 'cpu', tiny);
    checkShapes(after);
    expect(printGraph(after)).toBe(
      [
        'input x = v0:float32[5,5]',
        'input weight = v1:float32[5,5]',
        'input shift = v2:float32[5]',
        'v3:float32[5,5] = MatMul(v0:float32[5,5], v1:float32[5,5])',
        'v4:float32[5,5] = Add(v3:float32[5,5], v2:float32[5])',
        'v5:float32[5,5] = Relu(v4:float32[5,5])',
        'v6:float32[5,5] = MatMul(v5:float32[5,5], v1:float32[5,5])',
        'v7:float32[5,5] = MatMul(v6:float32[5,5], v1:float32[5,5])',
        'v8:float32[5,5] = MatMul(v7:float32[5,5], v1:float32[5,5])',
        'v9:float32[5,5] = MatMul(v8:float32[5,5], v1:float32[5,5])',
        'v13:float32[1,1] = Slice(v9:float32[5,5], {0,0}:int64[2], {1,1}:int64[2], {0,1}:int64[2])',
        'v15:float32[1] = Reshape(v13:float32[1,1], {1}:int64[1])',
        'v17:float32[1] = Mul(v15:float32[1], {0}:float32[])',
        'v18:float32[5] = Add(v2:float32[5], v17:float32[1])',
        'v19:float32[5,5] = Add(v3:float32[5,5], v18:float32[5])',
        'v20:float32[5,5] = Relu(v19:float32[5,5])',
        'v21:float32[5,5] = Mul(v20:float32[5,5], v9:float32[5,5])',
        'v22:float32[5,5] = Sub(v9:float32[5,5], v3:float32[5,5])',
        'output late = v21:float32[5,5]',
        'output gradient = v22:float32[5,5]',
      ].join('\n'),
    );
  });

  it.each([
    ['what is small', pausing(), { ...tiny, minBytes: 4 * 26 }],
    ['what is soon used again', pausing({ steps: 1 }), { ...tiny, minGap: 0.5 }],
    ['what is made by more than a pass over its operands', pausing({ operator: 'Softmax' }), tiny],
  ])('keeps %s', (_, graph, options) => {
    expect(recompute(graph, 'cpu', options)).toBe(graph);
  });

  it('keeps what would need something else to be kept instead', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [5, 5]);
    const shifted = graph.node('Add', [graph.node('MatMul', [x, x]), graph.float(1)]);
    let y = shifted;
    for (let i = 0; i < 4; i++) y = graph.node('MatMul', [y, x]);
    const before = graph.finish([{ name: 'y', value: graph.node('Mul', [shifted, y]) }]);
    expect(recompute(before, 'cpu', tiny)).toBe(before);
  });

  it('leaves a head of a GELU with its centered rows alone', () => {
    const { step, state, batch } = head();
    const graph = traceStep(step, state, batch);
    const after = recompute(graph, 'cpu', { minBytes: 4 * 64, minGap: 0.02 });
    checkShapes(after);
    expect(count(after, 'Erf')).toBe(2 * count(graph, 'Erf'));
    expect(after.outputs.map(({ name }) => name)).toEqual(graph.outputs.map(({ name }) => name));
  });

  it('changes no result of a training step beyond rounding', async () => {
    const before = await compileStep(trainingStep, {
      state: trainingState(),
      batch: trainingBatch.specs,
      device: CPU,
      label: 'step',
    });
    const after = await compileStep(trainingStep, {
      state: trainingState(),
      batch: trainingBatch.specs,
      device: CPU,
      label: 'step',
      recompute: tiny,
    });
    expect(after.info.nodes).toBeGreaterThan(before.info.nodes);
    for (let i = 0; i < 3; i++) {
      await before.run(trainingBatch.data(i));
      await after.run(trainingBatch.data(i));
    }
    const [expected, actual] = [await before.readState(), await after.readState()];
    for (const [name, values] of Object.entries(expected)) {
      expectClose(name, actual[name], values, 1e-5);
    }
    await before.dispose();
    await after.dispose();
  });
});

/** Rows through a linear layer, batch norm, GELU and another linear layer, with all gradients. */
function head() {
  const width = 16;
  const state = {
    first: { dtype: 'float32', shape: [width, width] },
    second: { dtype: 'float32', shape: [width, width] },
    'norm.weight': { dtype: 'float32', shape: [width] },
    'norm.bias': { dtype: 'float32', shape: [width] },
    'norm.running_mean': { dtype: 'float32', shape: [width] },
    'norm.running_var': { dtype: 'float32', shape: [width] },
  } as const;
  const step = (params: Readonly<Record<string, tf.Tensor>>, inputs: typeof params) => {
    const of = (name: string) => rank2(defined(params[name], name));
    const isLearned = (name: string): boolean => !name.includes('running');
    const learned = Object.fromEntries(Object.entries(params).filter(([n]) => isLearned(n)));
    const { grads } = gradientsOf(learned, () => {
      const rows = rank2(tf.matMul(rank2(defined(inputs['rows'], 'rows')), of('first')));
      const mode = { training: true };
      const normalized = rowNorm(rows, tf.zeros([width]), params, 'norm', mode);
      return { loss: tf.sum(tf.square(tf.matMul(gelu(normalized), of('second')))), side: {} };
    });
    return { state: { ...params, ...grads }, outputs: {} };
  };
  return { step, state, batch: { rows: { dtype: 'float32', shape: [8, width] } } as const };
}

function count(graph: Graph, operator: string): number {
  return graph.nodes.filter((node) => node.operator === operator).length;
}
