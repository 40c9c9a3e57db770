import { AppError } from '../lib/errors.ts';
import { inferOutputs } from './shapes.ts';
import type { Provider } from './types.ts';

/** Element types of values inside a graph. There are no float16 constants. */
export type ElementType = 'float32' | 'float16' | 'int32' | 'int64' | 'bool' | 'uint8';

export type ConstantData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** The result of one node, a graph input or a constant. Shapes are static. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Present on constants only. */
  readonly constant?: ConstantData;
}

export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

/**
 * Names of operators that begin so are not of the ONNX standard: they are onnxruntime's own, on maps
 * whose channels lie in blocks (`passes/blocked-convolutions.ts`). Model files never hold them.
 */
export const BLOCKED = 'blocked.';

/**
 * Attribute of an operator whose second input, a shape or axes, a model file makes out only in a run, so
 * that the shape of the output is not known before (`openlyReshaped`).
 */
export const OPEN = 'open';

/** One ONNX operator. An absent optional input is undefined. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

/** A graph in execution order. Constants hang on the values that use them. */
export interface Graph {
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  readonly nodes: readonly Node[];
}

/** The one ONNX operator set that everything here is written for. */
export const OPSET = 20;

/**
 * Appends nodes and gives them output shapes. Equal nodes (same operator, inputs and attributes) are
 * made once, so common subexpressions never enter the graph.
 */
export class GraphBuilder {
  readonly provider: Provider;
  readonly nodes: Node[] = [];
  readonly inputs: NamedValue[] = [];
  readonly #known = new Map<string, readonly Value[]>();
  readonly #constants = new Map<string, Value>();
  #nextId = 0;

  /** @param provider where the graph will run; kernels may choose other nodes for it */
  constructor(provider: Provider = 'cpu') {
    this.provider = provider;
  }

  /** A graph input that is fed on every run. */
  input(name: string, type: ElementType, shape: readonly number[]): Value {
    const value = { id: this.#nextId++, shape, type };
    this.inputs.push({ name, value });
    return value;
  }

  /** A constant; small equal ones are shared. */
  constant(type: ElementType, shape: readonly number[], data: ConstantData): Value {
    const isSmall = data.length <= 4096;
    const key = isSmall ? `${type}:${shape.join()}:${numbersText(data)}` : '';
    const known = isSmall ? this.#constants.get(key) : undefined;
    if (known !== undefined) return known;
    const value = { id: this.#nextId++, shape, type, constant: data };
    if (isSmall) this.#constants.set(key, value);
    return value;
  }

  float(value: number): Value {
    return this.constant('float32', [], Float32Array.of(value));
  }

  /** A one-dimensional int64 constant, the form in which ONNX takes shapes and axes. */
  integers(values: readonly number[]): Value {
    return this.constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Appends a node with one output. */
  node(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes = {},
  ): Value {
    const [output] = this.nodeWithOutputs(operator, inputs, attributes, 1);
    if (output === undefined) throw new Error(`${operator} has no output`);
    return output;
  }

  /** Appends a node with `count` outputs. */
  nodeWithOutputs(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes,
    count: number,
  ): readonly Value[] {
    const ids = inputs.map((input) => input?.id ?? '').join();
    const key = `${operator}(${ids})${count}${JSON.stringify(attributes)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const outputs = inferOutputs({ operator, inputs, attributes }, count).map((inferred) => ({
      id: this.#nextId++,
      ...inferred,
    }));
    this.nodes.push({ operator, inputs, outputs, attributes });
    this.#known.set(key, outputs);
    return outputs;
  }

  /** The finished graph: only what the outputs need, in the order in which it was built. */
  finish(outputs: readonly NamedValue[]): Graph {
    return pruned({ inputs: this.inputs, outputs, nodes: this.nodes });
  }
}

/**
 * Drops nodes that no output needs, and the places of a pool that nobody asks for, because pools are
 * several times faster without. Inputs stay, because callers feed them by name.
 */
export function pruned(graph: Graph): Graph {
  const { nodes, ids } = neededFor(graph.outputs, graph.nodes);
  const kept = nodes.map((node) => {
    const isPlain = node.operator === 'MaxPool' && !ids.has(node.outputs.at(-1)?.id ?? -1);
    return isPlain ? { ...node, outputs: node.outputs.slice(0, 1) } : node;
  });
  return { ...graph, nodes: kept };
}

/** The nodes that some outputs need, in their order, and the ids of all values that these read. */
export function neededFor(
  outputs: readonly NamedValue[],
  nodes: readonly Node[],
): { readonly nodes: readonly Node[]; readonly ids: ReadonlySet<number> } {
  const ids = new Set(outputs.map(({ value }) => value.id));
  const needed: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => ids.has(id))) continue;
    needed.push(node);
    for (const input of node.inputs) if (input !== undefined) ids.add(input.id);
  }
  return { nodes: needed.reverse(), ids };
}

/** The nodes that read a value, by its id; a node that reads it twice stands there twice. */
export function readersOf({ nodes }: Graph): ReadonlyMap<number, readonly Node[]> {
  const readers = new Map<number, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (input === undefined) continue;
      const list = readers.get(input.id);
      if (list === undefined) readers.set(input.id, [node]);
      else list.push(node);
    }
  }
  return readers;
}

/** Infers every shape again and compares; for tests after each change of a graph. */
export function checkShapes(graph: Graph): void {
  const defined = new Set(graph.inputs.map(({ value }) => value.id));
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (input === undefined || input.constant !== undefined || defined.has(input.id)) continue;
      throw new AppError('graph.invalid', `${node.operator} reads v${input.id} before it is made.`);
    }
    const inferred = inferOutputs(node, node.outputs.length);
    node.outputs.forEach((output, i) => {
      defined.add(output.id);
      const expected = inferred[i];
      if (expected?.type === output.type && `${expected.shape}` === `${output.shape}`) return;
      throw new AppError(
        'graph.invalid',
        `${node.operator} gives ${expected?.type}[${expected?.shape}], not ${output.type}[${output.shape}].`,
      );
    });
  }
}

/** Readable text, one node a line. */
export function printGraph(graph: Graph): string {
  const text = (value: Value | undefined) => {
    if (value === undefined) return '-';
    const name = value.constant === undefined ? `v${value.id}` : constantText(value.constant);
    return `${name}:${value.type}[${value.shape.join(',')}]`;
  };
  return [
    ...graph.inputs.map(({ name, value }) => `input ${name} = ${text(value)}`),
    ...graph.nodes.map(({ operator, inputs, outputs, attributes }) => {
      const settings = Object.keys(attributes).length > 0 ? ` ${JSON.stringify(attributes)}` : '';
      return `${outputs.map(text).join(', ')} = ${operator}(${inputs.map(text).join(', ')})${settings}`;
    }),
    ...graph.outputs.map(({ name, value }) => `output ${name} = ${text(value)}`),
  ].join('\n');
}

/** Numbers as text that tells 0 from -0. */
function numbersText(data: ConstantData): string {
  const texts: string[] = [];
  for (const value of data) texts.push(Object.is(value, -0) ? '-0' : String(value));
  return texts.join();
}

function constantText(data: ConstantData): string {
  return data.length <= 8 ? `{${data.join(',')}}` : `{${data.length} values}`;
}
