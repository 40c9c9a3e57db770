import { defined } from '../../lib/errors.ts';
import type { Graph, GraphBuilder, Node, Value } from '../ir.ts';
import { KEEP_ROWS, SPREAD_ROWS } from '../own-kernels.ts';
import { sizeOf } from '../shapes.ts';
import type { Provider } from '../types.ts';
import { rewritten } from './rewrite.ts';

/**
 * The same graph with rows left out for good where a mask says so (`nn/kept-rows.ts`): everything between
 * the marks gets fewer rows, as many as a run has. Shapes in the graph stay those of all rows, an upper
 * bound. Where an operation would need to know the number, all rows of that mask stay.
 */
export function leaveOutRows(graph: Graph, provider: Provider): Graph {
  if (!graph.nodes.some(isMark)) return graph;
  const refused = new Set<number>();
  let places: Places | undefined;
  while (places === undefined) {
    const found = placesOfRows(graph, refused);
    if (typeof found === 'number') refused.add(found);
    else places = found;
  }
  const known = places;
  let place = -1;
  return rewritten(graph, provider, (builder, node) => {
    place += 1;
    const original = defined(graph.nodes[place], 'node');
    if (isMark(node)) return refused.has(maskOf(original)) ? node.inputs[0] : rowsOf(builder, node);
    const axes = known.get(original.outputs[0]?.id ?? -1)?.axes ?? [];
    return axes.length > 0 && TAKES_SHAPE.has(node.operator)
      ? withOpenAxes(builder, node, axes)
      : undefined;
  });
}

/** The axes of a value that hold the rows kept by a mask, the id of which is `mask`. */
interface Place {
  readonly mask: number;
  readonly axes: readonly number[];
}

/** Of the values that have such axes, by id. */
type Places = ReadonlyMap<number, Place>;

/** Operators with a shape as second operand. */
const TAKES_SHAPE: ReadonlySet<string> = new Set(['Reshape', 'Expand']);

function isMark({ operator }: Node): boolean {
  return operator === KEEP_ROWS || operator === SPREAD_ROWS;
}

function maskOf({ inputs }: Node): number {
  return defined(inputs[1], 'mask').id;
}

/** Where the rows of all masks but the refused ones lie; or the id of a mask that must be refused. */
function placesOfRows(graph: Graph, refused: ReadonlySet<number>): Places | number {
  const places = new Map<number, Place>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => input && places.get(input.id));
    const [first] = inputs.filter((place) => place !== undefined);
    if (node.operator === KEEP_ROWS) {
      const mask = maskOf(node);
      if (first !== undefined) return first.mask;
      if (!refused.has(mask)) places.set(node.outputs[0]?.id ?? -1, { mask, axes: [0] });
    } else if (node.operator === SPREAD_ROWS) {
      const mask = maskOf(node);
      const isWhole = first?.mask === mask && `${first.axes}` === '0';
      if (!refused.has(mask) && !isWhole) return mask;
    } else if (first !== undefined) {
      const axes = inputs.some((place) => place && place.mask !== first.mask)
        ? undefined
        : axesAfter(
            node,
            inputs.map((place) => place?.axes ?? []),
          );
      if (axes === undefined) return first.mask;
      for (const { id } of node.outputs)
        if (axes.length > 0) places.set(id, { mask: first.mask, axes });
    }
  }
  return graph.outputs.map(({ value }) => places.get(value.id)).find(Boolean)?.mask ?? places;
}

/** A rule: the axes of the result that hold rows, from those of the operands; undefined refuses. */
type Rule = (node: Node, axes: readonly (readonly number[])[]) => readonly number[] | undefined;

function axesAfter(
  node: Node,
  axes: readonly (readonly number[])[],
): readonly number[] | undefined {
  return RULES[node.operator]?.(node, axes);
}

/** Operands line up from the end; beside rows, another operand has rows or one number. */
const elementwise: Rule = ({ inputs, outputs }, axes) => {
  const rank = outputs[0]?.shape.length ?? 0;
  const fromEnd = axes.map((own, i) => own.map((axis) => (inputs[i]?.shape.length ?? 0) - axis));
  const all = new Set(fromEnd.flat());
  const fits = inputs.every((input, i) =>
    [...all].every(
      (end) => fromEnd[i]?.includes(end) === true || (input?.shape.at(-end) ?? 1) === 1,
    ),
  );
  return fits ? [...all].map((end) => rank - end) : undefined;
};

/** Rows of zeros more or less change neither a sum nor the largest of chances. */
const reduction: Rule = ({ inputs, attributes }, [own = []]) => {
  const rank = inputs[0]?.shape.length ?? 0;
  const gone = new Set(constantOf(inputs[1], inputs[1] === undefined ? rank : 0));
  const left = own.filter((axis) => !gone.has(axis));
  return attributes['keepdims'] === 0
    ? left.map((axis) => axis - [...gone].filter((other) => other < axis).length)
    : left;
};

const mean: Rule = (node, axes) => {
  const left = reduction(node, axes);
  return left?.length === axes[0]?.length ? left : undefined;
};

const transposition: Rule = ({ attributes }, [own = []]) => {
  const { perm } = attributes;
  return Array.isArray(perm) ? own.map((axis) => perm.indexOf(axis)) : undefined;
};

/** An axis of rows stays one axis, with as many numbers before it as there were. */
const reshape: Rule = ({ inputs, outputs }, [own = []]) => {
  const [before = [], after = []] = [inputs[0]?.shape, outputs[0]?.shape];
  const moved = own.map((axis) =>
    after.findIndex(
      (size, i) =>
        size === before[axis] && sizeOf(after.slice(0, i)) === sizeOf(before.slice(0, axis)),
    ),
  );
  return moved.length === 1 && !moved.includes(-1) ? moved : undefined;
};

const expansion: Rule = ({ inputs, outputs }, [own = []]) => {
  const [before = [], after = []] = [inputs[0]?.shape, outputs[0]?.shape];
  return own.map((axis) => axis + after.length - before.length);
};

const gemm: Rule = ({ attributes }, [left = [], right = []]) => {
  const [rows, inner] = attributes['transA'] === 1 ? [1, 0] : [0, 1];
  const [other, columns] = attributes['transB'] === 1 ? [1, 0] : [0, 1];
  if (left.includes(inner) !== right.includes(other)) return undefined;
  return [...(left.includes(rows) ? [0] : []), ...(right.includes(columns) ? [1] : [])];
};

/** Along rows, only the first: there is at least one. */
const slice: Rule = ({ inputs }, [own = []]) => {
  const [starts, ends, axes] = [1, 2, 3].map((place) => constantOf(inputs[place]));
  const cut = own.filter((axis) => axes?.includes(axis));
  const isFirst = cut.every((axis) => {
    const place = axes?.indexOf(axis) ?? -1;
    return starts?.[place] === 0 && ends?.[place] === 1;
  });
  return isFirst ? own.filter((axis) => !cut.includes(axis)) : undefined;
};

const softmax: Rule = (_, [own = []]) => own;

function constantOf(value: Value | undefined, all = 0): number[] {
  return value?.constant === undefined
    ? Array.from({ length: all }, (_, i) => i)
    : Array.from(value.constant, Number);
}

const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    [
      ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Where', 'Cast'],
      ...['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'],
      ...['Neg', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Erf', 'Relu', 'Clip', 'Abs', 'Sign'],
    ].map((name) => [name, elementwise]),
  ),
  ReduceSum: reduction,
  ReduceMax: reduction,
  ReduceMean: mean,
  Transpose: transposition,
  Reshape: reshape,
  Expand: expansion,
  Gemm: gemm,
  Slice: slice,
  Softmax: softmax,
};

/** The node for as many rows as there are: -1 leaves an axis open in a Reshape, 1 in an Expand. */
function withOpenAxes(graph: GraphBuilder, node: Node, axes: readonly number[]): Value {
  const [x, shape] = [defined(node.inputs[0], 'x'), constantOf(node.inputs[1])];
  const open = node.operator === 'Reshape' ? -1 : 1;
  const target = shape.map((size, axis) => (axes.includes(axis) ? open : size));
  return graph.node(node.operator, [x, graph.integers(target)]);
}

/** The rows themselves: gathered, or scattered among rows of zeros. */
function rowsOf(graph: GraphBuilder, { operator, inputs }: Node): Value {
  const [x, mask] = [defined(inputs[0], 'x'), defined(inputs[1], 'mask')];
  const places = graph.node('NonZero', [mask]);
  if (operator === KEEP_ROWS) {
    const list = graph.node('Reshape', [places, graph.integers([-1])]);
    return graph.node('Gather', [x, list], { axis: 0 });
  }
  const rows = graph.node('Reshape', [places, graph.integers([-1, 1])]);
  const zeros = graph.node('Expand', [graph.float(0), graph.integers(x.shape)]);
  return graph.node('ScatterND', [zeros, rows, x]);
}

/**
 * The ids of values whose number of rows is known in a run only, and of what is made of them: their shapes
 * in the graph are upper bounds.
 */
export function countedValues({ nodes }: Graph): ReadonlySet<number> {
  const counted = new Set<number>();
  for (const { operator, inputs, outputs } of nodes) {
    const isMadeOf = inputs.some((input) => input !== undefined && counted.has(input.id));
    if (operator === 'NonZero' || (isMadeOf && operator !== 'ScatterND')) {
      for (const { id } of outputs) counted.add(id);
    }
  }
  return counted;
}
