import { describe, expect, it } from 'vitest';
import { GraphBuilder, checkShapes, type Value } from '../../../src-main/graph/ir.ts';
import { interleaved, sumOfInterleaved } from '../../../src-main/graph/kernels/interleave.ts';
import { runGraph } from './run-graph.ts';

const [batch, channels, rows, columns] = [2, 3, 4, 5];
const [height, width] = [2 * rows - 1, 2 * columns];

/** Maps of the residues with the given places, row by row; the others are absent. */
function residues(graph: GraphBuilder, name: string, places: readonly number[]) {
  return [0, 1, 2, 3].map((place) =>
    places.includes(place)
      ? graph.input(`${name}${place}`, 'float32', [batch, channels, rows, columns])
      : undefined,
  );
}

/** The pixels of the sum of some residues' maps, put together one by one. */
function together(inputs: Readonly<Record<string, Float32Array>>): number[] {
  const pixels: number[] = [];
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const place = 2 * (y % 2) + (x % 2);
        const at = (plane * rows + Math.floor(y / 2)) * columns + Math.floor(x / 2);
        const values = ['a', 'b'].map((name) => inputs[`${name}${place}`]?.[at] ?? 0);
        pixels.push(values.reduce((sum, value) => sum + value, 0));
      }
    }
  }
  return pixels;
}

async function valuesOf(graph: GraphBuilder, value: Value) {
  const finished = graph.finish([{ name: 'map', value }]);
  checkShapes(finished);
  const inputs = Object.fromEntries(
    finished.inputs.map(({ name, value: input }, i) => {
      const size = input.shape.reduce((product, n) => product * n, 1);
      return [name, Float32Array.from({ length: size }, (_, j) => 1000 * i + j)];
    }),
  );
  const { map } = await runGraph(finished, inputs);
  return { inputs, map };
}

describe('residues are interleaved', () => {
  it.each([[[0, 1, 2, 3]], [[0]], [[1, 2]]])('with %j of 4 there', async (places) => {
    const graph = new GraphBuilder();
    const map = interleaved(graph, residues(graph, 'a', places), [height, width]);
    const { inputs, map: actual } = await valuesOf(graph, map);
    expect(actual?.shape).toEqual([batch, channels, height, width]);
    expect([...(actual?.data ?? [])]).toEqual(together(inputs));
  });

  it('once for a sum', async () => {
    const graph = new GraphBuilder();
    const [all, first] = [residues(graph, 'a', [0, 1, 2, 3]), residues(graph, 'b', [0])];
    const [a, b] = [all, first].map((list) => interleaved(graph, list, [height, width]));
    const sum = a && b && sumOfInterleaved(graph, a, b);
    if (sum === undefined) throw new Error('The sum was not made.');
    const kinds = graph.finish([{ name: 'map', value: sum }]).nodes.map(({ operator }) => operator);
    expect(kinds.filter((operator) => operator === 'Gemm')).toHaveLength(1);
    const { inputs, map: actual } = await valuesOf(graph, sum);
    expect([...(actual?.data ?? [])]).toEqual(together(inputs));
    expect(sumOfInterleaved(graph, sum, graph.node('Add', [sum, sum]))).toBeUndefined();
  });
});
