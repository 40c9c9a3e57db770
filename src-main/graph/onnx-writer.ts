import onnxProto from 'onnx-proto';
import { BLOCKED, OPEN, OPSET, type Attribute, type Graph, type Node, type Value } from './ir.ts';
import { ONNX_TYPES } from './shapes.ts';

const { AttributeProto, ModelProto } = onnxProto.onnx;
type ModelFields = onnxProto.onnx.IModelProto;
type NodeFields = onnxProto.onnx.INodeProto;

/** ONNX file format version that belongs to opset 20. */
const IR_VERSION = 9;

/** Where onnxruntime keeps its operators on blocked channels. */
const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

/**
 * The bytes of an ONNX model. Inputs and outputs keep their names; everything else is numbered.
 * @param metadata free text pairs, stored as metadata_props
 */
export function writeOnnx(
  graph: Graph,
  name: string,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const names = new Names(graph);
  const constants = new Map<number, Value>();
  const open = new OpenShapes(graph, names);
  const nodes = graph.nodes.map((node) => {
    for (const input of node.inputs) {
      if (input?.constant !== undefined) constants.set(input.id, input);
    }
    return nodeFields(node, names, open);
  });
  const copies = graph.outputs.flatMap(({ name: output, value }) => {
    if (value.constant !== undefined) constants.set(value.id, value);
    const source = names.of(value);
    return source === output ? [] : [{ opType: 'Identity', input: [source], output: [output] }];
  });
  const fields: ModelFields = {
    irVersion: IR_VERSION,
    producerName: 'DeCon Studio',
    opsetImport: [
      { domain: '', version: OPSET },
      ...(graph.nodes.some(isBlocked) ? [{ domain: BLOCKED_DOMAIN, version: 1 }] : []),
    ],
    graph: {
      name,
      node: [...open.nodes, ...nodes, ...copies],
      initializer: [
        ...open.initializers,
        ...[...constants.values()].map((value) => initializer(value, names.of(value))),
      ],
      input: graph.inputs.map(({ name: input, value }) => valueInfo(input, value)),
      output: graph.outputs.map(({ name: output, value }) => valueInfo(output, value)),
    },
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  };
  return ModelProto.encode(fields).finish();
}

/** How many nodes a file has in front of those of its graph. */
export function openShapeNodes({ nodes }: Graph): number {
  const shapes = nodes
    .filter(({ attributes }) => OPEN in attributes)
    .map(({ inputs }) => inputs[1]);
  const count = new Set(shapes.map((shape) => shape?.id)).size;
  return count === 0 ? 0 : count + zeroNodes;
}

/** The name of every value: inputs and outputs by their own, the rest by number. */
class Names {
  readonly #names = new Map<number, string>();

  constructor(graph: Graph) {
    for (const { name, value } of graph.inputs) this.#names.set(value.id, name);
    for (const { name, value } of graph.outputs) {
      if (value.constant === undefined && !this.#names.has(value.id))
        this.#names.set(value.id, name);
    }
  }

  of(value: Value): string {
    return this.#names.get(value.id) ?? `v${value.id}`;
  }
}

/** Shapes and axes that are known only in a run: constants cut at a zero that is made of the first input. */
class OpenShapes {
  readonly nodes: NodeFields[] = [];
  readonly initializers: ReturnType<typeof initializer>[] = [];
  readonly #graph: Graph;
  readonly #names: Names;
  readonly #known = new Map<number, string>();

  constructor(graph: Graph, names: Names) {
    this.#graph = graph;
    this.#names = names;
  }

  nameOf(shape: Value): string {
    const [first] = this.#graph.inputs;
    if (first === undefined) return this.#names.of(shape);
    if (this.#known.size === 0) this.#addZero(first.name);
    const known = this.#known.get(shape.id);
    if (known !== undefined) return known;
    const name = `${OPEN}/${this.#names.of(shape)}`;
    this.nodes.push({
      opType: 'Slice',
      input: [this.#names.of(shape), zeroName, endName],
      output: [name],
    });
    this.#known.set(shape.id, name);
    return name;
  }

  #addZero(input: string): void {
    const list = (name: string, value: number) => {
      const data = BigInt64Array.of(BigInt(value));
      this.initializers.push(
        initializer({ id: -1, type: 'int64', shape: [1], constant: data }, `${OPEN}/${name}`),
      );
      return `${OPEN}/${name}`;
    };
    const [line, none, one] = [list('line', -1), list('none', 0), list('one', 1)];
    list('end', maxRank);
    const to = attributeFields('to', ONNX_TYPES.int64);
    const [flat, first, whole] = [`${OPEN}/flat`, `${OPEN}/first`, `${OPEN}/whole`];
    this.nodes.push(
      { opType: 'Reshape', input: [input, line], output: [flat] },
      { opType: 'Slice', input: [flat, none, one], output: [first] },
      { opType: 'Cast', input: [first], output: [whole], attribute: [to] },
      { opType: 'Mul', input: [whole, none], output: [zeroName] },
    );
  }
}

const zeroName = `${OPEN}/zero`;
const endName = `${OPEN}/end`;
/** Beyond the end of every shape. */
const maxRank = 16;
/** That make the zero. */
const zeroNodes = 4;

function isBlocked({ operator }: Node): boolean {
  return operator.startsWith(BLOCKED);
}

function nodeFields(node: Node, names: Names, open: OpenShapes): NodeFields {
  const { [OPEN]: isOpen, ...attributes } = node.attributes;
  const nameOf = (input: Value, place: number): string =>
    isOpen !== undefined && place === 1 ? open.nameOf(input) : names.of(input);
  return {
    ...(isBlocked(node)
      ? { domain: BLOCKED_DOMAIN, opType: node.operator.slice(BLOCKED.length) }
      : { opType: node.operator }),
    input: node.inputs.map((input, place) => (input === undefined ? '' : nameOf(input, place))),
    output: node.outputs.map((output) => names.of(output)),
    attribute: Object.entries(attributes).map(([name, value]) => attributeFields(name, value)),
  };
}

function attributeFields(name: string, value: Attribute) {
  const { INT, INTS, FLOAT, STRING } = AttributeProto.AttributeType;
  if (typeof value === 'number') return { name, type: INT, i: value };
  if (typeof value === 'string') return { name, type: STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: FLOAT, f: value.float };
  return { name, type: INTS, ints: [...value] };
}

function initializer(value: Value, name: string) {
  const data = value.constant ?? new Float32Array();
  return {
    name,
    dims: [...value.shape],
    dataType: ONNX_TYPES[value.type],
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function valueInfo(name: string, value: Value) {
  const dim = value.shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: ONNX_TYPES[value.type], shape: { dim } } } };
}
