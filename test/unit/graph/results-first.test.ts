import { expect, it } from 'vitest';
import { GraphBuilder, checkShapes } from '../../../src-main/graph/ir.ts';
import { resultsFirst } from '../../../src-main/graph/passes/results-first.ts';

it('puts what only results need behind all updates', () => {
  const graph = new GraphBuilder();
  const x = graph.input('x', 'float32', [4]);
  const forward = graph.node('Exp', [x]);
  const loss = graph.node('Log', [graph.node('Abs', [forward])]);
  const update = graph.node('Sub', [x, graph.node('Neg', [forward])]);
  const before = graph.finish([
    { name: 'next/x', value: update },
    { name: 'out/loss', value: loss },
  ]);
  expect(before.nodes.map(({ operator }) => operator)).toEqual(['Exp', 'Abs', 'Log', 'Neg', 'Sub']);
  const after = resultsFirst(before, (name) => name.startsWith('next/'));
  expect(after.nodes.map(({ operator }) => operator)).toEqual(['Exp', 'Neg', 'Sub', 'Abs', 'Log']);
  checkShapes(after);
});
