import { describe, expect, it } from 'vitest';
import { convolutionBlock } from '../../../src-main/graph/convolution-block.ts';
import { deviceNamed } from '../../../src-main/graph/devices.ts';
import { BLOCKED, GraphBuilder, checkShapes, type Graph } from '../../../src-main/graph/ir.ts';
import { blockedConvolutions } from '../../../src-main/graph/passes/blocked-convolutions.ts';
import { CPU } from '../../../src-main/graph/types.ts';
import { relativeError, runGraph } from './run-graph.ts';

/** One convolution, or two with the same filter. */
function convolutions(
  image: readonly number[],
  { outputs = 48, kernel = 3, count = 1, stride = 1 } = {},
): Graph {
  const graph = new GraphBuilder();
  const shape = [outputs, image[1] ?? 0, kernel, kernel];
  const filter = graph.input('filter', 'float32', shape);
  const before = (kernel - 1) / 2;
  const maps = Array.from({ length: count }, (_, i) =>
    graph.node('Conv', [graph.input(`image${i}`, 'float32', image), filter], {
      ...{ kernel_shape: [kernel, kernel], strides: [stride, stride], dilations: [1, 1] },
      pads: [before, before, before, before],
    }),
  );
  return graph.finish(maps.map((value, i) => ({ name: `map${i}`, value })));
}

function operators({ nodes }: Graph): readonly string[] {
  return nodes.map(({ operator }) => operator);
}

describe('blockedConvolutions', () => {
  it('brings map and filter into blocks and the result back', () => {
    const before = convolutions([2, 32, 32, 32]);
    const after = blockedConvolutions(before, 'cpu', 16);
    checkShapes(after);
    expect(operators(before)).toEqual(['Conv']);
    expect(operators(after).filter((name) => name.startsWith(BLOCKED))).toEqual([
      `${BLOCKED}ReorderInput`,
      `${BLOCKED}Conv`,
      `${BLOCKED}ReorderOutput`,
    ]);
    expect(operators(after)).not.toContain('Conv');
  });

  it('shares the blocks of a filter', () => {
    const after = blockedConvolutions(convolutions([1, 32, 24, 24], { count: 2 }), 'cpu', 8);
    expect(operators(after).filter((name) => name === `${BLOCKED}Conv`)).toHaveLength(2);
    expect(operators(after).filter((name) => name === 'Transpose')).toHaveLength(2);
  });

  it.each([1, 2])('gives the same numbers with steps of %i', async (stride) => {
    const block = await convolutionBlock(CPU);
    const before = convolutions([2, 32, 48, 47], { stride });
    const after = blockedConvolutions(before, 'cpu', block);
    expect(operators(after).includes('Conv')).toBe(block === 1);
    const [actual, expected] = [await runGraph(after), await runGraph(before)];
    expect(relativeError(actual['map0'], expected['map0'])).toBeLessThan(1e-5);
  });

  it.each<[string, Graph, number]>([
    ['without blocks', convolutions([2, 32, 32, 32]), 1],
    ['channels that fill no block', convolutions([2, 40, 32, 32]), 16],
    ['single pixels', convolutions([2, 32, 32, 32], { kernel: 1 }), 8],
    ['few pixels', convolutions([2, 32, 16, 16]), 8],
  ])('leaves alone: %s', (_, graph, block) => {
    expect(operators(blockedConvolutions(graph, 'cpu', block))).toEqual(['Conv']);
  });
});

describe('convolutionBlock', () => {
  it('finds what the processor multiplies at once', async () => {
    expect([1, 4, 8, 16]).toContain(await convolutionBlock(CPU));
  });

  it('is 1 on other devices', async () => {
    expect(await convolutionBlock(deviceNamed('webgpu'))).toBe(1);
  });
});
