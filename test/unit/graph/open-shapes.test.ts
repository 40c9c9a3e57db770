import { expect, it } from 'vitest';
import { GraphBuilder } from '../../../src-main/graph/ir.ts';
import { openlyReshaped, reshapedTo } from '../../../src-main/graph/layout.ts';
import { relativeError, runGraph } from './run-graph.ts';

it('reshapes to a shape that is known in the run only', async () => {
  const graphOf = (reshape: typeof openlyReshaped) => {
    const graph = new GraphBuilder();
    const x = graph.input('x', 'float32', [4, 6]);
    const turned = graph.node('Transpose', [reshape(graph, x, [2, 12])], { perm: [1, 0] });
    const doubled = graph.node('Add', [turned, turned]);
    return graph.finish([{ name: 'y', value: reshape(graph, doubled, [3, 8]) }]);
  };
  const [open, plain] = [graphOf(openlyReshaped), graphOf(reshapedTo)];
  expect((await runGraph(open))['y']?.shape).toEqual([3, 8]);
  expect(relativeError((await runGraph(open))['y'], (await runGraph(plain))['y'])).toBe(0);
});
