import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compileFunction, compileStep } from '../../../src-main/graph/compile.ts';
import { GraphBuilder, checkShapes, printGraph, type Graph } from '../../../src-main/graph/ir.ts';
import { halfPrecision } from '../../../src-main/graph/passes/half-precision.ts';
import { traceStep } from '../../../src-main/graph/trace.ts';
import { CPU, type HostTensor, type PureFunction } from '../../../src-main/graph/types.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { expectClose } from './check-op.ts';
import { trainingBatch, trainingState, trainingStep } from './tiny-training.ts';

/** Relative rounding of float16, which has 11 binary digits. */
const rounding = 2 ** -11;

describe('halfPrecision', () => {
  it('rounds the operands of products and turns their results back', () => {
    const graph = new GraphBuilder();
    const x = graph.input('batch/x', 'float32', [1, 2, 4, 4]);
    const weight = graph.input('state/weight', 'float32', [3, 2, 1, 1]);
    const second = graph.input('state/second', 'float32', [3, 3, 1, 1]);
    const activated = graph.node('Relu', [graph.node('Conv', [x, weight])]);
    const product = graph.node('Conv', [activated, second]);
    const before = graph.finish([{ name: 'out/y', value: graph.node('Exp', [product]) }]);
    expect(printGraph(before)).toBe(
      [
        'input batch/x = v0:float32[1,2,4,4]',
        'input state/weight = v1:float32[3,2,1,1]',
        'input state/second = v2:float32[3,3,1,1]',
        'v3:float32[1,3,4,4] = Conv(v0:float32[1,2,4,4], v1:float32[3,2,1,1])',
        'v4:float32[1,3,4,4] = Relu(v3:float32[1,3,4,4])',
        'v5:float32[1,3,4,4] = Conv(v4:float32[1,3,4,4], v2:float32[3,3,1,1])',
        'v6:float32[1,3,4,4] = Exp(v5:float32[1,3,4,4])',
        'output out/y = v6:float32[1,3,4,4]',
      ].join('\n'),
    );
    expect(printGraph(halved(before))).toBe(
      [
        'input batch/x = v0:float32[1,2,4,4]',
        'input state/weight = v1:float32[3,2,1,1]',
        'input state/second = v2:float32[3,3,1,1]',
        'v3:float16[1,2,4,4] = Cast(v0:float32[1,2,4,4]) {"to":10}',
        'v4:float16[3,2,1,1] = Cast(v1:float32[3,2,1,1]) {"to":10}',
        'v5:float16[1,3,4,4] = Conv(v3:float16[1,2,4,4], v4:float16[3,2,1,1])',
        'v6:float16[1,3,4,4] = Relu(v5:float16[1,3,4,4])',
        'v7:float16[3,3,1,1] = Cast(v2:float32[3,3,1,1]) {"to":10}',
        'v8:float16[1,3,4,4] = Conv(v6:float16[1,3,4,4], v7:float16[3,3,1,1])',
        'v9:float32[1,3,4,4] = Cast(v8:float16[1,3,4,4]) {"to":1}',
        'v10:float32[1,3,4,4] = Exp(v9:float32[1,3,4,4])',
        'output out/y = v10:float32[1,3,4,4]',
      ].join('\n'),
    );
  });

  it('casts a value once, before it is moved', () => {
    const graph = new GraphBuilder();
    const x = graph.input('state/x', 'float32', [4, 6]);
    const weight = graph.input('state/weight', 'float32', [4, 4]);
    const turned = graph.node('Transpose', [weight], { perm: [1, 0] });
    const padded = graph.node('Pad', [turned, graph.integers([0, 0, 2, 0]), graph.float(0)]);
    const moved = graph.node('Slice', [padded, ...[0, 4, 0].map((n) => graph.integers([n]))]);
    const products = [weight, turned, moved].map((w) => graph.node('MatMul', [w, x]));
    const before = graph.finish(products.map((value, i) => ({ name: `out/${i}`, value })));
    expect(operators(halved(before))).toEqual([
      'Cast float16',
      'Transpose float16',
      'Pad float16',
      'Slice float16',
      'Cast float16',
      ...products.map(() => 'MatMul float16'),
      ...products.map(() => 'Cast float32'),
    ]);
    expect(printGraph(halved(before))).toContain('Pad(v3:float16[4,4], {0,0,2,0}:int64[4])');
  });

  it('moves what else is needed in float32 once', () => {
    const graph = new GraphBuilder();
    const x = graph.input('state/x', 'float32', [4, 6]);
    const weight = graph.input('state/weight', 'float32', [4, 4]);
    const product = graph.node('MatMul', [weight, x]);
    const turned = graph.node('Transpose', [product], { perm: [1, 0] });
    const again = graph.node('MatMul', [turned, weight]);
    const before = graph.finish([
      { name: 'out/again', value: again },
      { name: 'out/sum', value: graph.node('Exp', [turned]) },
    ]);
    expect(operators(halved(before)).filter((text) => text.startsWith('Transpose'))).toEqual([
      'Transpose float16',
    ]);
  });

  it('leaves statistics, images and filters of constants alone', () => {
    const graph = new GraphBuilder();
    const x = graph.input('state/x', 'float32', [4, 6]);
    const image = graph.input('batch/image', 'float32', [1, 6, 4, 4]);
    const rows = graph.input('batch/rows', 'float32', [3, 4]);
    const used = graph.node('Exp', [graph.input('state/used', 'float32', [1, 4])]);
    const turned = graph.node('Transpose', [x], { perm: [1, 0] });
    const unit = graph.constant('float32', [1, 6, 1, 1], Float32Array.of(1, 0, 0, 0, 0, 0));
    const values = [
      graph.node('MatMul', [rows, x]),
      graph.node('MatMul', [used, x]),
      graph.node('MatMul', [turned, x]),
      graph.node('Conv', [image, unit]),
    ];
    const before = graph.finish(values.map((value, i) => ({ name: `out/${i}`, value })));
    expect(halved(before)).toBe(before);
  });

  it('fits every node of a training step', () => {
    const before = traceStep(trainingStep, trainingState(), trainingBatch.specs, 'cuda');
    const after = halved(before);
    const counts = (graph: Graph) =>
      Object.fromEntries(
        ['Conv', 'Gemm', 'MatMul'].map((operator) => [
          operator,
          graph.nodes.filter((node) => node.operator === operator).length,
        ]),
      );
    expect(counts(after)).toEqual(counts(before));
    expect(operators(after)).toContain('Conv float16');
    const casts = after.nodes.filter((node) => node.outputs[0]?.type === 'float16');
    const cast = casts.flatMap(({ operator, inputs }) =>
      operator === 'Cast' ? (inputs[0]?.id ?? []) : [],
    );
    expect(new Set(cast).size).toBe(cast.length);
  });
});

describe('a graph in half precision', () => {
  it('rounds operands and results, on the CPU as elsewhere', async () => {
    const [w, x] = [filled([5, 7], 1), filled([7, 9], 2)];
    const product: PureFunction = (params) => ({
      y: tf.matMul(defined(params['w'], 'w'), defined(params['x'], 'x')),
    });
    const [single, half] = await Promise.all([
      run(product, { w, x }, 'single'),
      run(product, { w, x }, 'half'),
    ]);
    expectClose('y', half, single, 4 * rounding);
    expect([...half.data]).toEqual([...half.data].map((value) => Math.f16round(value)));
    const exact = Array.from({ length: 45 }, (_, i) => {
      const [row, column] = [Math.floor(i / 9), i % 9];
      const terms = Array.from({ length: 7 }, (_unused, k) => {
        const [a = NaN, b = NaN] = [w.data[row * 7 + k], x.data[k * 9 + column]];
        return Math.f16round(a) * Math.f16round(b);
      });
      return Math.f16round(terms.reduce((sum, term) => sum + term));
    });
    expectClose('y', half, { ...half, data: Float32Array.from(exact) }, rounding);
  });

  it('trains like one in single precision', async () => {
    const train = async (precision: 'single' | 'half') => {
      const step = await compileStep(trainingStep, {
        state: trainingState(),
        batch: trainingBatch.specs,
        device: CPU,
        label: 'training',
        precision,
      });
      const losses: number[] = [];
      for (let i = 0; i < 10; i++) {
        const { loss } = await step.run(trainingBatch.data(i));
        losses.push(loss?.data[0] ?? NaN);
      }
      await step.dispose();
      return losses;
    };
    const [single, half] = [await train('single'), await train('half')];
    expect(half).not.toEqual(single);
    half.forEach((loss, i) => expect(Math.abs(loss - (single[i] ?? NaN))).toBeLessThan(5e-3));
  });
});

function halved(graph: Graph): Graph {
  const after = halfPrecision(graph, 'cuda');
  checkShapes(after);
  return after;
}

function operators({ nodes }: Graph): string[] {
  return nodes.map(({ operator, outputs }) => `${operator} ${outputs[0]?.type}`);
}

async function run(
  fn: PureFunction,
  params: Readonly<Record<string, HostTensor>>,
  precision: 'single' | 'half',
): Promise<HostTensor> {
  const options = { params, inputs: {}, device: CPU, label: 'half', precision };
  const compiled = await compileFunction(fn, options);
  const outputs = await compiled.run(params, {});
  await compiled.dispose();
  return defined(outputs['y'], 'y');
}

function filled(shape: readonly [number, number], seed: number): HostTensor {
  const random = new Random(seed);
  const data = Float32Array.from({ length: shape[0] * shape[1] }, () => random.uniform(-3, 3));
  return { shape, dtype: 'float32', data };
}
