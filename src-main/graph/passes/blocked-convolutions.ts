import { defined } from '../../lib/errors.ts';
import { BLOCKED, type Graph, type GraphBuilder, type Node, type Value } from '../ir.ts';
import { reshapedTo } from '../layout.ts';
import { rewritten } from './rewrite.ts';
import { sizeOf } from '../shapes.ts';
import type { Provider } from '../types.ts';

/**
 * The same graph with its larger convolutions on channels in blocks: between the pixels of one channel
 * lie those of its neighbors, 8 or 16 channels side by side, as many as the processor multiplies at
 * once. onnxruntime does so by itself where filters are constants (its `nchwc` operators, a fifth to a
 * half faster than by patches); the filters of a training are not. Map and filter are brought into
 * blocks before each convolution and the result back behind it, both included in that figure.
 *
 * @param block channels side by side (`convolution-block.ts`); 1 where there are no such operators
 */
export function blockedConvolutions(graph: Graph, provider: Provider, block: number): Graph {
  if (block === 1) return graph;
  const uses = usesOfFilters(graph);
  const chosen = new Set(
    graph.nodes.filter((node) => isFaster(node, block, uses)).map(({ outputs }) => outputs[0]?.id),
  );
  return rewritten(graph, provider, (builder, node) =>
    chosen.has(node.outputs[0]?.id) ? blockedConvolution(builder, node, block) : undefined,
  );
}

/** How many convolutions share each filter, by id: they share its blocks as well. */
function usesOfFilters({ nodes }: Graph): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  for (const { operator, inputs } of nodes) {
    const filter = inputs[1];
    if (operator === 'Conv' && filter !== undefined) {
      uses.set(filter.id, (uses.get(filter.id) ?? 0) + 1);
    }
  }
  return uses;
}

/** Where the product takes so long that it earns the rearrangement of its filter and its map. */
function isFaster(
  { operator, inputs, outputs }: Node,
  block: number,
  uses: ReadonlyMap<number, number>,
) {
  const [image, filter] = inputs;
  const [output] = outputs;
  if (operator !== 'Conv' || !image || !filter || !output || inputs.length > 2) return false;
  const [outChannels = 0, inChannels = 0, height = 0, width = 0] = filter.shape;
  const isWhole = outChannels % block === 0 && inChannels % block === 0;
  const isUngrouped = inChannels === image.shape[1];
  const pixels = sizeOf(output.shape) / outChannels;
  return (
    isWhole &&
    isUngrouped &&
    filter.constant === undefined &&
    height * width >= minTaps &&
    pixels * (uses.get(filter.id) ?? 1) >= minPixels
  );
}

function blockedConvolution(
  graph: GraphBuilder,
  { inputs, attributes }: Node,
  block: number,
): Value {
  const [image, filter] = [defined(inputs[0], 'image'), defined(inputs[1], 'filter')];
  const channels = filter.shape[0] ?? 0;
  // Before the map, since onnxruntime makes the later of two operands first.
  const weights = blockedFilter(graph, filter, block);
  const map = graph.node(`${BLOCKED}ReorderInput`, [image]);
  const result = graph.node(`${BLOCKED}Conv`, [map, weights], attributes);
  return graph.node(`${BLOCKED}ReorderOutput`, [result], { channels });
}

/**
 * The filter `[out, in, height, width]` as `[out / block, in / block, height, width, block of in, block
 * of out]`, under its old shape. In two moves of one axis each, which onnxruntime copies several times
 * faster than one of all axes.
 */
function blockedFilter(graph: GraphBuilder, filter: Value, block: number): Value {
  const [outChannels = 0, inChannels = 0, height = 0, width = 0] = filter.shape;
  const taps = height * width;
  const groups = reshapedTo(graph, filter, [outChannels / block, block, inChannels * taps]);
  const outsLast = graph.node('Transpose', [groups], { perm: [0, 2, 1] });
  const blocks = (outChannels / block) * (inChannels / block);
  const byTap = graph.node(
    'Transpose',
    [reshapedTo(graph, outsLast, [blocks, block, taps, block])],
    {
      perm: [0, 2, 1, 3],
    },
  );
  return reshapedTo(graph, byTap, filter.shape);
}

/** Convolutions of single pixels are products already. */
const minTaps = 9;

/** Output pixels, of all convolutions with one filter; below, its rearrangement takes what is gained. */
const minPixels = 1024;
