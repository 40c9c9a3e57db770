import { OPEN, readersOf, type Graph, type GraphBuilder, type Node, type Value } from '../ir.ts';
import { sizeOf } from '../shapes.ts';
import type { Provider } from '../types.ts';
import { countedValues } from './kept-rows.ts';
import { rewritten } from './rewrite.ts';

/**
 * The same graph with the shapes of small values left open, on the CPU. When onnxruntime opens a graph, it
 * compares every value of known shape with all dead buffers, to find one of its size. A step has thousands
 * of small ones, such as statistics of channels, whose memory is nothing and whose comparisons take a
 * quarter of the time that opening takes.
 *
 * Reshapes and reductions between small values become open (`OPEN`), and what is made of open values is
 * open, too. A large value must not be: its buffer would not be used again. So a small value gets its shape
 * back where a large one is made of it. Rows that the run counts (`kept-rows.ts`) have no shape to give back
 * and stay as they are, with all that is made of them.
 */
export function openSmallValues(graph: Graph, provider: Provider): Graph {
  if (provider !== 'cpu') return graph;
  const readers = readersOf(graph);
  const open = new Set<number>();
  const counted = countedValues(graph);
  const opened = (values: readonly Value[]): readonly Value[] => {
    for (const { id } of values) open.add(id);
    return values;
  };
  const closed = (builder: GraphBuilder, value: Value): Value =>
    open.has(value.id) ? builder.node('Reshape', [value, builder.integers(value.shape)]) : value;
  return rewritten(graph, provider, (builder, node) => {
    const { operator, inputs, outputs, attributes } = node;
    const made = (values: readonly (Value | undefined)[]): readonly Value[] =>
      builder.nodeWithOutputs(operator, values, attributes, outputs.length);
    const isLarge = !isSmall(node);
    const known = isLarge ? inputs.map((input) => input && closed(builder, input)) : inputs;
    const isCounted = outputs.some(({ id }) => counted.has(id));
    if (isLarge || isCounted) return made(known);
    const readBy = outputs.flatMap(({ id }) => readers.get(id) ?? []);
    if (isOpenable(node) && readBy.length > 0 && readBy.every(isSmall)) {
      return opened([builder.node(operator, inputs, { ...attributes, [OPEN]: 1 })]);
    }
    const readsOpen = inputs.some((input) => input !== undefined && open.has(input.id));
    return readsOpen && operator !== 'Reshape' ? opened(made(inputs)) : undefined;
  });
}

function isSmall({ outputs }: Node): boolean {
  return outputs.every(({ shape }) => sizeOf(shape) <= maxSize);
}

function isOpenable({ operator, inputs }: Node): boolean {
  return openable.has(operator) && inputs[1]?.constant !== undefined;
}

const openable: ReadonlySet<string> = new Set(['Reshape', 'ReduceMean', 'ReduceSum', 'ReduceMax']);

/** Numbers in a value: 256 kB. */
const maxSize = 2 ** 16;
