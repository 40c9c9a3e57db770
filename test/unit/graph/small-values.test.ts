import { expect, it } from 'vitest';
import { GraphBuilder, OPEN, checkShapes, type Graph } from '../../../src-main/graph/ir.ts';
import { openSmallValues } from '../../../src-main/graph/passes/small-values.ts';
import { relativeError, runGraph } from './run-graph.ts';

/** A map normalized by statistics of its channels, of which a running mean follows. */
function normalized(): Graph {
  const graph = new GraphBuilder();
  const map = graph.input('map', 'float32', [4, 8, 64, 64]);
  const running = graph.input('running', 'float32', [8]);
  const ofImages = graph.node('ReduceMean', [map, graph.integers([2, 3])], { keepdims: 0 });
  const byBatch = graph.node('Reshape', [ofImages, graph.integers([2, 2, 8])]);
  const means = graph.node('ReduceMean', [byBatch, graph.integers([0, 1])], { keepdims: 0 });
  const shift = graph.node('Reshape', [
    graph.node('Mul', [means, means]),
    graph.integers([1, 8, 1, 1]),
  ]);
  const square = graph.node('Mul', [means, running]);
  const moved = graph.node('Add', [running, graph.node('Mul', [means, graph.float(0.1)])]);
  return graph.finish([
    { name: 'normalized', value: graph.node('Sub', [map, shift]) },
    {
      name: 'scaled',
      value: graph.node('Mul', [graph.node('Transpose', [map], { perm: [0, 2, 3, 1] }), square]),
    },
    { name: 'moved', value: moved },
  ]);
}

it('leaves the shapes of small values open, but not of large ones', async () => {
  const before = normalized();
  const after = openSmallValues(before, 'cpu');
  checkShapes(after);
  const known = new Set(after.inputs.map(({ value }) => value.id));
  const isKnown = new Map<string, boolean[]>();
  for (const { operator, inputs, outputs, attributes } of after.nodes) {
    const ofInputs = inputs.every(
      (v) => v === undefined || v.constant !== undefined || known.has(v.id),
    );
    const isClosing = operator === 'Reshape' && !(OPEN in attributes);
    const isOpen = OPEN in attributes || !(ofInputs || isClosing);
    if (!isOpen) for (const { id } of outputs) known.add(id);
    const kind = `${operator} ${outputs[0]?.shape}`;
    isKnown.set(kind, [...(isKnown.get(kind) ?? []), !isOpen]);
  }
  expect(Object.fromEntries(isKnown)).toEqual({
    'ReduceMean 4,8': [false],
    'Reshape 2,2,8': [false],
    'ReduceMean 8': [false],
    'Mul 8': [false, false, false],
    'Reshape 1,8,1,1': [true], // was there
    'Sub 4,8,64,64': [true],
    'Transpose 4,64,64,8': [true],
    'Reshape 8': [true], // for the large product
    'Mul 4,64,64,8': [true],
    'Add 8': [false],
  });
  const [expected, actual] = [await runGraph(before), await runGraph(after)];
  for (const name of ['normalized', 'scaled', 'moved']) {
    expect(actual[name]?.shape, name).toEqual(expected[name]?.shape);
    expect(relativeError(actual[name], expected[name]), name).toBe(0);
  }
});

it('leaves alone what is made of rows that the run counts', async () => {
  const graph = new GraphBuilder();
  const values = graph.input('values', 'float32', [300, 300]);
  const mask = graph.input('mask', 'float32', [300]);
  const isKept = graph.node('Greater', [mask, graph.float(0)]);
  const rows = graph.node('Transpose', [graph.node('NonZero', [isKept])], { perm: [1, 0] });
  const kept = graph.node('GatherND', [values, rows]);
  const sums = graph.node('ReduceSum', [kept, graph.integers([1])], { keepdims: 1 });
  const halves = graph.node('Reshape', [
    graph.node('Mul', [sums, graph.float(0.5)]),
    graph.integers([-1, 1]),
  ]);
  const before = graph.finish([
    {
      name: 'total',
      value: graph.node('ReduceSum', [graph.node('Sub', [kept, halves]), graph.integers([0])], {
        keepdims: 0,
      }),
    },
  ]);
  const after = openSmallValues(before, 'cpu');
  expect(after.nodes).toEqual(before.nodes);
  const [expected, actual] = [await runGraph(before), await runGraph(after)];
  expect(relativeError(actual['total'], expected['total'])).toBe(0);
});

it('leaves other devices alone', () => {
  const graph = normalized();
  expect(openSmallValues(graph, 'webgpu')).toBe(graph);
});
