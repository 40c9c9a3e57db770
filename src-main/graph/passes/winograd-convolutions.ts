import { defined } from '../../lib/errors.ts';
import type { Attribute, Graph, GraphBuilder, Node, Value } from '../ir.ts';
import { openlyReshaped, reshapedTo } from '../layout.ts';
import type { Provider } from '../types.ts';
import {
  filterMatrix,
  isWinogradWorthIt,
  outputOfTiles,
  partsOf,
  PLACES,
  pixelsFirst,
  tilesOf,
  transformedInput,
  type Line,
} from '../winograd.ts';
import { rewritten } from './rewrite.ts';

/**
 * The same graph with convolutions of many channels and 3x3 filters as products of tiles
 * (`winograd.ts`), on the CPU: half the time of onnxruntime's convolution.
 */
export function winogradConvolutions(graph: Graph, provider: Provider): Graph {
  if (provider !== 'cpu') return graph;
  const uses = new Map<number, number>();
  return rewritten(graph, provider, (builder, node) => {
    const lines = linesOf(node);
    if (lines === undefined) return undefined;
    const filter = defined(node.inputs[1], 'filter').id;
    const use = uses.get(filter) ?? 0;
    uses.set(filter, use + 1);
    return convolutionOfTiles(builder, node, lines, use);
  });
}

/** Rows and columns of a convolution that gains by tiles, else undefined. */
function linesOf({ operator, inputs, outputs, attributes }: Node): [Line, Line] | undefined {
  const [image, filter] = inputs;
  const [output] = outputs;
  if (operator !== 'Conv' || !image || !filter || !output || inputs.length > 2) return undefined;
  const { strides, dilations, pads } = attributes;
  const isPlain = [strides, dilations].every(isOnes);
  if (!isPlain || !Array.isArray(pads) || filter.constant !== undefined) return undefined;
  const line = (axis: 0 | 1): Line => ({
    inputs: image.shape[axis + 2] ?? 0,
    outputs: output.shape[axis + 2] ?? 0,
    before: Number(pads[axis]),
  });
  const lines: [Line, Line] = [line(0), line(1)];
  const isUngrouped = filter.shape[1] === image.shape[1];
  return isUngrouped && isWinogradWorthIt(filter.shape, lines) ? lines : undefined;
}

function isOnes(list: Attribute | undefined): boolean {
  return Array.isArray(list) && list.every((n) => n === 1);
}

function convolutionOfTiles(
  graph: GraphBuilder,
  { inputs }: Node,
  lines: readonly [Line, Line],
  use: number,
): Value {
  const [image, filter] = [defined(inputs[0], 'image'), defined(inputs[1], 'filter')];
  const [batch = 0] = image.shape;
  const [outChannels = 0, inChannels = 0] = filter.shape;
  const [rows, columns] = [tilesOf(lines[0]), tilesOf(lines[1])];
  // onnxruntime makes the later of two operands first: filters, which would lie in memory while all
  // before this convolution is computed, are written before the map.
  const parts = partsOf(lines, batch, filter.shape).map((places) => ({
    places,
    filters: filterOfTiles(graph, filter, places, use),
  }));
  const map = pixelsFirst(graph, image);
  const sums = parts.map(({ places, filters }) => {
    const tiles = openlyReshaped(graph, transformedInput(graph, map, lines, places), [
      ...[places.length, rows, PLACES, columns * batch, inChannels],
    ]);
    const products = graph.node('MatMul', [tiles, filters]);
    const flat = [places.length * rows, PLACES * columns, batch * outChannels];
    return outputOfTiles(graph, openlyReshaped(graph, products, flat), lines, places);
  });
  const pixels = sums.reduce((sum, part) => graph.node('Add', [sum, part]));
  // Flatten changes nothing. It keeps onnxruntime from turning a map of four axes instead, which it
  // does number by number.
  const planes = graph.node('Flatten', [graph.node('Transpose', [pixels], { perm: [1, 0] })]);
  return reshapedTo(graph, planes, [batch, outChannels, lines[0].outputs, lines[1].outputs]);
}

/** G g G^T for some places in the tiles' rows: `[places, 1, 6, in, out]`. */
function filterOfTiles(
  graph: GraphBuilder,
  filter: Value,
  places: readonly number[],
  use: number,
): Value {
  const [outChannels = 0, inChannels = 0] = filter.shape;
  const flat = openlyReshaped(graph, filter, [outChannels * inChannels, 9]);
  // Without a third operand beta means nothing. It keeps apart what convolutions of one filter would
  // share, four times as large as the filter, from the first view of the images to the second.
  const attributes = { transA: 0, transB: 1, beta: { float: use } };
  const values = graph.node('Gemm', [filterMatrix(graph, places), flat], attributes);
  const shape = [places.length, 1, PLACES, outChannels, inChannels];
  return graph.node('Transpose', [openlyReshaped(graph, values, shape)], { perm: [0, 1, 2, 4, 3] });
}
