import { describe, expect, it } from 'vitest';
import { GraphBuilder, checkShapes, type Graph } from '../../../src-main/graph/ir.ts';
import { dotProducts } from '../../../src-main/graph/passes/dot-products.ts';
import { sizeOf } from '../../../src-main/graph/shapes.ts';
import { relativeError, runGraph } from './run-graph.ts';

interface Sum {
  readonly operator?: 'ReduceSum' | 'ReduceMean' | 'ReduceMax';
  readonly axes: readonly number[];
  readonly keepdims?: 0 | 1;
  readonly factor?: readonly number[];
}

const shape = [3, 4, 32, 20];

function sumOfProducts({ operator = 'ReduceSum', axes, keepdims = 0, factor = shape }: Sum): Graph {
  const graph = new GraphBuilder();
  const a = graph.input('a', 'float32', shape);
  const product = graph.node('Mul', [a, graph.input('b', 'float32', factor)]);
  const sum = graph.node(operator, [product, graph.integers(axes)], { keepdims });
  return graph.finish([{ name: 'sum', value: sum }]);
}

function operators({ nodes }: Graph): readonly string[] {
  return nodes.map(({ operator }) => operator);
}

describe('dotProducts', () => {
  it.each<[string, Sum]>([
    ['a sum over pixels', { axes: [2, 3] }],
    ['a mean that keeps its axes', { operator: 'ReduceMean', axes: [2, 3], keepdims: 1 }],
    ['a mean over images and pixels', { operator: 'ReduceMean', axes: [0, 2, 3], keepdims: 1 }],
    ['a sum of everything', { axes: [0, 1, 2, 3] }],
    ['axes counted from the end', { axes: [-1, -2], keepdims: 1 }],
  ])('makes products of matrices of %s', async (_, sum) => {
    const before = sumOfProducts(sum);
    const after = dotProducts(before, 'cpu');
    checkShapes(after);
    expect(operators(after)).toContain('MatMul');
    const sizes = after.nodes.map(({ outputs: [output] }) => sizeOf(output?.shape ?? []));
    const isLarge = after.nodes.map(
      ({ operator }, i) => operator === 'Mul' && (sizes[i] ?? 0) > 12,
    );
    expect(isLarge).not.toContain(true);
    const [expected, actual] = [await runGraph(before), await runGraph(after)];
    expect(relativeError(actual['sum'], expected['sum'])).toBeLessThan(1e-5);
  });

  it('makes one of a square', async () => {
    const graph = new GraphBuilder();
    const a = graph.input('a', 'float32', shape);
    const square = graph.node('Mul', [a, a]);
    const sum = graph.node('ReduceSum', [square, graph.integers([2, 3])], { keepdims: 0 });
    const before = graph.finish([{ name: 'sum', value: sum }]);
    const after = dotProducts(before, 'cpu');
    expect(operators(after)).toEqual(['Reshape', 'Transpose', 'MatMul', 'Reshape']);
    const [expected, actual] = [await runGraph(before), await runGraph(after)];
    expect(relativeError(actual['sum'], expected['sum'])).toBeLessThan(1e-5);
  });

  it('leaves alone a product that something else reads', () => {
    const graph = new GraphBuilder();
    const a = graph.input('a', 'float32', shape);
    const square = graph.node('Mul', [a, a]);
    const sum = graph.node('ReduceSum', [square, graph.integers([2, 3])], { keepdims: 0 });
    const before = graph.finish([
      { name: 'sum', value: sum },
      { name: 'square', value: square },
    ]);
    expect(operators(dotProducts(before, 'cpu'))).toEqual(['Mul', 'ReduceSum']);
  });

  it.each<[string, Sum]>([
    ['short lines', { axes: [3] }],
    ['axes in front', { axes: [0, 1] }],
    ['a broadcast', { axes: [2, 3], factor: [3, 4, 1, 1] }],
    ['a maximum', { operator: 'ReduceMax', axes: [2, 3] }],
  ])('leaves %s alone', (_, sum) => {
    expect(operators(dotProducts(sumOfProducts(sum), 'cpu'))).toEqual([
      'Mul',
      sum.operator ?? 'ReduceSum',
    ]);
  });

  it('leaves other devices alone', () => {
    const graph = sumOfProducts({ axes: [2, 3] });
    expect(dotProducts(graph, 'webgpu')).toBe(graph);
  });
});
