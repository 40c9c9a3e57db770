import { defined } from '../../lib/errors.ts';
import { GraphBuilder, type Graph, type Node, type Value } from '../ir.ts';
import { ONNX_TYPES } from '../shapes.ts';
import { inputName } from '../trace.ts';
import type { Provider } from '../types.ts';

/**
 * The same graph with the convolutions and matrix products of its networks in float16: their
 * operands are rounded, their results turned back, each value once. Everything else stays float32,
 * inputs and outputs included. Layouts and rectifiers between two of them work on float16 as well,
 * which changes no number.
 *
 * A network's products are those that weigh what was computed from the state by something computed
 * from the state. So the matrices that cut, color and align images stay exact, as do filters made of
 * constants; and the sums that products are used for, which are statistics: those with a single row
 * or column, and those of a matrix with itself.
 *
 * For the provider `cpu`, which has no operators on float16, these run on float32 between the
 * roundings: the numbers are those of a device that rounds each result once. onnxruntime would insert
 * such casts itself, but then drop them together with the roundings.
 */
export function halfPrecision(graph: Graph, provider: Provider): Graph {
  const products = networkProducts(graph);
  if (products.size === 0) return graph;
  return new HalfGraph(graph, products, provider).rewritten();
}

/** How a value is stored. */
type Form = 'float32' | 'float16';
const FORMS: ReadonlySet<string> = new Set<Form>(['float32', 'float16']);

/** Builds the graph anew; a value is cast when it is first needed in its other form. */
class HalfGraph {
  readonly #graph: Graph;
  readonly #products: ReadonlySet<Node>;
  readonly #readAsHalf: ReadonlySet<number>;
  readonly #builder: GraphBuilder;
  /** New values by the id of the old one. */
  readonly #made = { float32: new Map<number, Value>(), float16: new Map<number, Value>() };

  constructor(graph: Graph, products: ReadonlySet<Node>, provider: Provider) {
    this.#builder = new GraphBuilder(provider);
    this.#graph = graph;
    this.#products = products;
    this.#readAsHalf = valuesReadAsHalf(graph, products);
  }

  rewritten(): Graph {
    for (const { name, value } of this.#graph.inputs) {
      this.#made.float32.set(value.id, this.#builder.input(name, value.type, value.shape));
    }
    for (const node of this.#graph.nodes) this.#add(node);
    const outputs = this.#graph.outputs.map(({ name, value }) => ({
      name,
      value: this.#in('float32', value),
    }));
    return this.#builder.finish(outputs);
  }

  #add(node: Node): void {
    const form = this.#formOf(node);
    const inputs =
      form === 'float16' && node.operator === 'Pad' && isZero(node.inputs[2])
        ? node.inputs.slice(0, 2) // 0 is what a pad fills with anyway
        : node.inputs;
    const isRounded = form === 'float16' && this.#builder.provider === 'cpu';
    const operands = inputs.map((input) => input && this.#in(form, input));
    const made = this.#builder.nodeWithOutputs(
      node.operator,
      isRounded ? operands.map((value) => value && this.#cast(value, 'float32')) : operands,
      node.attributes,
      node.outputs.length,
    );
    node.outputs.forEach(({ id }, i) => {
      const output = defined(made[i], `output of ${node.operator}`);
      this.#made[form].set(id, isRounded ? this.#cast(output, 'float16') : output);
    });
  }

  #formOf(node: Node): Form {
    if (this.#products.has(node)) return 'float16';
    if (!keepsNumbers(node)) return 'float32';
    const isHalf = node.outputs.every(({ id }) => this.#readAsHalf.has(id));
    return isHalf || dataInputs(node).every((input) => this.#isHalfOnly(input))
      ? 'float16'
      : 'float32';
  }

  #isHalfOnly({ id }: Value): boolean {
    return this.#made.float16.has(id) && !this.#made.float32.has(id);
  }

  /** The new value for an old one; only floats have two forms. */
  #in(form: Form, value: Value): Value {
    const wanted = value.type === 'float32' ? form : 'float32';
    const known = this.#made[wanted].get(value.id);
    if (known !== undefined) return known;
    const other = this.#made[wanted === 'float16' ? 'float32' : 'float16'].get(value.id);
    const made =
      value.constant !== undefined && wanted === 'float32'
        ? this.#builder.constant(value.type, value.shape, value.constant)
        : this.#cast(other ?? this.#in('float32', value), wanted);
    this.#made[wanted].set(value.id, made);
    return made;
  }

  /** Integers, such as shapes, stay what they are. */
  #cast(value: Value, form: Form): Value {
    const isCast = value.type === form || !FORMS.has(value.type);
    return isCast ? value : this.#builder.node('Cast', [value], { to: ONNX_TYPES[form] });
  }
}

/** The products that are done in float16. */
function networkProducts(graph: Graph): ReadonlySet<Node> {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map(({ id }) => [id, node])));
  const learnt = valuesFromState(graph);
  const isLearnt = (value: Value | undefined) => value !== undefined && learnt.has(value.id);
  return new Set(
    graph.nodes.filter(({ operator, inputs: [a, b], outputs: [output] }) => {
      if (a?.type !== 'float32' || b === undefined || output === undefined) return false;
      if (operator === 'Conv') return isLearnt(b);
      if (operator !== 'MatMul' && operator !== 'Gemm') return false;
      const isSum =
        output.shape.slice(-2).includes(1) || sourceOf(a, makers) === sourceOf(b, makers);
      return isLearnt(a) && isLearnt(b) && !isSum;
    }),
  );
}

/** The values that depend on state or parameters. */
function valuesFromState({ inputs, nodes }: Graph): ReadonlySet<number> {
  const state = inputName('state', '');
  const found = new Set(
    inputs.filter(({ name }) => name.startsWith(state)).map(({ value }) => value.id),
  );
  for (const node of nodes) {
    if (!node.inputs.some((input) => input !== undefined && found.has(input.id))) continue;
    for (const { id } of node.outputs) found.add(id);
  }
  return found;
}

/** The values that nothing but products in float16 reads, be it through other nodes. */
function valuesReadAsHalf(graph: Graph, products: ReadonlySet<Node>): ReadonlySet<number> {
  const isHalf = new Map<number, boolean>(graph.outputs.map(({ value }) => [value.id, false]));
  for (const node of graph.nodes.toReversed()) {
    const isRead = node.outputs.every(({ id }) => isHalf.get(id) === true);
    const reads = products.has(node) || (keepsNumbers(node) && isRead);
    for (const input of node.inputs) {
      if (input !== undefined) isHalf.set(input.id, (isHalf.get(input.id) ?? true) && reads);
    }
  }
  return new Set([...isHalf].filter(([, isRead]) => isRead).map(([id]) => id));
}

/** True for nodes that round to the same numbers before and after them. */
function keepsNumbers({ operator, outputs }: Node): boolean {
  return KEEPING.has(operator) && outputs[0]?.type === 'float32';
}

const KEEPING = new Set(['Transpose', 'Reshape', 'Slice', 'Concat', 'Pad', 'Relu']);

/** The inputs that a layout moves; not its shapes and settings. */
function dataInputs({ operator, inputs }: Node): readonly Value[] {
  const data = operator === 'Concat' ? inputs : inputs.slice(0, 1);
  return data.filter((input) => input !== undefined);
}

/** What a value was before it was only moved. */
function sourceOf(value: Value, makers: ReadonlyMap<number, Node>): number {
  const maker = makers.get(value.id);
  const [moved, other] = maker !== undefined && keepsNumbers(maker) ? dataInputs(maker) : [];
  const isMoved = moved !== undefined && other === undefined && maker?.operator !== 'Relu';
  return isMoved ? sourceOf(moved, makers) : value.id;
}

function isZero(value: Value | undefined): boolean {
  return value?.constant?.length === 1 && Number(value.constant[0]) === 0;
}
