import { describe, expect, it } from 'vitest';
import { GraphBuilder, checkShapes, printGraph } from '../../../src-main/graph/ir.ts';

describe('GraphBuilder', () => {
  it('makes equal nodes once', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [2, 3]);
    expect(graph.node('Relu', [x])).toBe(graph.node('Relu', [x]));
    expect(graph.node('Softmax', [x], { axis: 0 })).not.toBe(
      graph.node('Softmax', [x], { axis: 1 }),
    );
    expect(graph.nodes).toHaveLength(3);
  });

  it('shares small equal constants and tells types and shapes apart', () => {
    const graph = new GraphBuilder();
    expect(graph.float(1)).toBe(graph.float(1));
    expect(graph.float(1)).not.toBe(graph.constant('float32', [1], Float32Array.of(1)));
    expect(graph.float(1)).not.toBe(graph.constant('int32', [], Int32Array.of(1)));
    expect(graph.float(0)).not.toBe(graph.float(-0));
  });

  it('keeps only what the outputs need, in order, and all inputs', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [2]);
    graph.input('unused', 'float32', [1]);
    const kept = graph.node('Exp', [x]);
    graph.node('Log', [kept]);
    const output = graph.node('Neg', [kept]);
    const finished = graph.finish([{ name: 'y', value: output }]);
    expect(finished.nodes.map(({ operator }) => operator)).toEqual(['Exp', 'Neg']);
    expect(finished.inputs.map(({ name }) => name)).toEqual(['x', 'unused']);
  });

  it('drops the places of a pool that nobody asks for', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [1, 1, 4, 4]);
    const pool = graph.nodeWithOutputs('MaxPool', [x], { kernel_shape: [2, 2] }, 2);
    const outputCount = (wanted: number) =>
      graph.finish(pool.slice(0, wanted).map((value, i) => ({ name: `${i}`, value }))).nodes[0]
        ?.outputs.length;
    expect(outputCount(1)).toBe(1);
    expect(outputCount(2)).toBe(2);
  });

  it('refuses an operator without a shape rule and operands that do not fit', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [2, 3]);
    const y = graph.input('y', 'float32', [4]);
    expect(() => graph.node('Bernoulli', [x])).toThrow('No shape rule for operator Bernoulli.');
    expect(() => graph.node('Add', [x, y])).toThrow('Cannot broadcast [2,3] with [4].');
  });
});

describe('checkShapes', () => {
  it('finds a wrong shape and a value that is used before it is made', () => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [2, 3]);
    const y = graph.node('Transpose', [graph.node('Relu', [x])], { perm: [1, 0] });
    const whole = graph.finish([{ name: 'y', value: y }]);
    expect(() => checkShapes(whole)).not.toThrow();
    const wrong = whole.nodes.map((node) => ({
      ...node,
      outputs: node.outputs.map((output) => ({ ...output, shape: [9, 9] })),
    }));
    expect(() => checkShapes({ ...whole, nodes: wrong })).toThrow('gives float32[2,3]');
    expect(() => checkShapes({ ...whole, nodes: whole.nodes.toReversed() })).toThrow(
      'Transpose reads v1 before it is made.',
    );
  });
});

describe('printGraph', () => {
  it('shows one line a value', () => {
    const graph = new GraphBuilder();
    const x = graph.input('batch/x', 'float32', [2, 3]);
    const scaled = graph.node('Mul', [x, graph.float(0.5)]);
    const y = graph.node('ReduceSum', [scaled, graph.integers([0])], { keepdims: 0 });
    expect(printGraph(graph.finish([{ name: 'out/y', value: y }]))).toBe(
      [
        'input batch/x = v0:float32[2,3]',
        'v2:float32[2,3] = Mul(v0:float32[2,3], {0.5}:float32[])',
        'v4:float32[3] = ReduceSum(v2:float32[2,3], {0}:int64[1]) {"keepdims":0}',
        'output out/y = v4:float32[3]',
      ].join('\n'),
    );
  });
});
