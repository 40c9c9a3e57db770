import { defined } from '../../lib/errors.ts';
import { readersOf, type Graph, type GraphBuilder, type Node, type Value } from '../ir.ts';
import { reshapedTo } from '../layout.ts';
import { sizeOf } from '../shapes.ts';
import type { Provider } from '../types.ts';
import { countedValues } from './kept-rows.ts';
import { rewritten } from './rewrite.ts';

/**
 * The same graph with sums and means of products over long lines as products of matrices, on the CPU:
 * variances, gradients of batch norms, squared lengths of parameters. What was written for all pixels and
 * read again is then never made; half the time. Rows that the run counts (`kept-rows.ts`) stay as they are.
 */
export function dotProducts(graph: Graph, provider: Provider): Graph {
  if (provider !== 'cpu') return graph;
  const counted = countedValues(graph);
  const products = productsReadOnce(graph);
  const factors = new Map<number, readonly [Value, Value]>();
  return rewritten(graph, provider, (builder, node) => {
    const [output] = node.outputs;
    if (output !== undefined && products.has(output.id) && !counted.has(output.id)) {
      const [a, b] = [defined(node.inputs[0], 'a'), defined(node.inputs[1], 'b')];
      const product = builder.node('Mul', [a, b]); // dropped where every reader sums it up
      factors.set(product.id, [a, b]);
      return product;
    }
    const pair = factors.get(node.inputs[0]?.id ?? -1);
    return pair === undefined ? undefined : reducedProduct(builder, node, pair);
  });
}

/** Ids of products of two equally shaped maps which a single node reads. */
function productsReadOnce(graph: Graph): ReadonlySet<number> {
  const readers = readersOf(graph);
  const results = new Set(graph.outputs.map(({ value }) => value.id));
  const products = graph.nodes.flatMap(({ operator, inputs, outputs: [product] }) => {
    if (operator !== 'Mul' || product === undefined || results.has(product.id)) return [];
    const isWhole = inputs.every(
      (input) => input?.type === 'float32' && `${input.shape}` === `${product.shape}`,
    );
    return isWhole && readers.get(product.id)?.length === 1 ? [product.id] : [];
  });
  return new Set(products);
}

/** A reduction of a . b as a product of matrices, where it sums over lines that are long enough. */
function reducedProduct(
  graph: GraphBuilder,
  { operator, inputs, outputs }: Node,
  [a, b]: readonly [Value, Value],
): Value | undefined {
  const axes = inputs[1]?.constant;
  const [result] = outputs;
  if (!reductions.has(operator) || axes === undefined || result === undefined) return undefined;
  const reduced = new Set(
    [...axes].map((axis) => (Number(axis) + a.shape.length) % a.shape.length),
  );
  // Numbers of one line lie side by side; of a whole tensor the first axis stays, for many short sums
  // are more exact than a single one.
  const first = a.shape.findLastIndex((_, axis) => !reduced.has(axis)) + 1;
  const start = Math.max(1, first);
  const [lead, line] = [a.shape.slice(0, start), sizeOf(a.shape.slice(start))];
  if (line < minLine) return undefined;
  const lines = sizeOf(lead);
  const [left, right] = [a, b].map((value) => reshapedTo(graph, value, [lines, 1, line]));
  const turned = graph.node('Transpose', [right], { perm: [0, 2, 1] });
  const sums = reshapedTo(graph, graph.node('MatMul', [left, turned]), lead);
  const rest = lead.flatMap((_, axis) => (reduced.has(axis) ? [axis] : []));
  const total =
    rest.length === 0
      ? sums
      : graph.node('ReduceSum', [sums, graph.integers(rest)], { keepdims: 0 });
  const share = operator === 'ReduceMean' ? sizeOf(result.shape) / sizeOf(a.shape) : 1;
  const scaled = share === 1 ? total : graph.node('Mul', [total, graph.float(share)]);
  return reshapedTo(graph, scaled, result.shape);
}

const reductions: ReadonlySet<string> = new Set(['ReduceSum', 'ReduceMean']);

/** Below, products of single lines are no faster. */
const minLine = 512;
