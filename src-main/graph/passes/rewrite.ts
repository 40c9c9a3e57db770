import { defined } from '../../lib/errors.ts';
import { GraphBuilder, type Graph, type Node, type Value } from '../ir.ts';
import type { Provider } from '../types.ts';

/**
 * What takes the place of a node's outputs, for inputs of the new graph: one value or as many as the node
 * has; undefined where the node stays.
 */
export type Replacement = (graph: GraphBuilder, node: Node) => Value | readonly Value[] | undefined;

/** The same graph with some nodes replaced. */
export function rewritten(graph: Graph, provider: Provider, replacement: Replacement): Graph {
  const builder = new GraphBuilder(provider);
  const made = new Map<number, Value>();
  const known = (value: Value): Value =>
    value.constant === undefined
      ? defined(made.get(value.id), `v${value.id}`)
      : builder.constant(value.type, value.shape, value.constant);
  for (const { name, value } of graph.inputs) {
    made.set(value.id, builder.input(name, value.type, value.shape));
  }
  for (const node of graph.nodes) {
    const moved = { ...node, inputs: node.inputs.map((input) => input && known(input)) };
    const replaced = replacement(builder, moved);
    const outputs =
      replaced === undefined
        ? builder.nodeWithOutputs(node.operator, moved.inputs, node.attributes, node.outputs.length)
        : 'id' in replaced
          ? [replaced]
          : replaced;
    node.outputs.forEach(({ id }, i) => made.set(id, defined(outputs[i], node.operator)));
  }
  return builder.finish(graph.outputs.map(({ name, value }) => ({ name, value: known(value) })));
}
