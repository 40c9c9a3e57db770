import { neededFor, type Graph } from '../ir.ts';

/**
 * The same graph with the nodes that only results need, such as losses, at its end. onnxruntime works
 * its way from the last node without successor to the first, whatever the order in between. A loss
 * that comes before the updates in the file would be summed up after all of them, and what it is
 * summed from would lie in memory through the whole backward pass.
 *
 * @param isState tells the outputs that are the next state from the results
 */
export function resultsFirst(graph: Graph, isState: (name: string) => boolean): Graph {
  const states = graph.outputs.filter(({ name }) => isState(name));
  const ofState = new Set(neededFor(states, graph.nodes).nodes);
  const ofResults = graph.nodes.filter((node) => !ofState.has(node));
  return { ...graph, nodes: [...ofState, ...ofResults] };
}
