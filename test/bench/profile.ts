import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { BLOCKED, type Graph, type Node, type Value } from '../../src-main/graph/ir.ts';
import { openShapeNodes } from '../../src-main/graph/onnx-writer.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { rounded } from './figures.ts';
import type { Profile } from './messages.ts';

const ShapesSchema = v.optional(v.array(v.record(v.string(), v.array(v.number()))), []);
const EventSchema = v.object({
  cat: v.string(),
  name: v.string(),
  /** Microseconds. */
  ts: v.number(),
  dur: v.number(),
  args: v.optional(
    v.object({ op_name: v.optional(v.string(), ''), input_type_shape: ShapesSchema }),
    {},
  ),
});
type Event = v.InferOutput<typeof EventSchema>;

const kernelTime = '_kernel_time';

/** Sums the last run of onnxruntime's profile by family of operators, largest first. */
export function readProfile(prefix: string, graph: Graph): Profile {
  const folder = dirname(prefix);
  const file = readdirSync(folder).find((name) => name.startsWith(basename(prefix)));
  const path = join(folder, defined(file, 'profile of onnxruntime'));
  const events = v.parse(v.array(EventSchema), JSON.parse(readFileSync(path, 'utf8')));
  const run = defined(events.filter(({ name }) => name === 'model_run').at(-1), 'run in profile');
  const familyOf = classifier(graph);
  const families = new Map<string, { ms: number; nodes: number }>();
  const add = (family: string, ms: number, nodes: number): void => {
    const sum = families.get(family) ?? { ms: 0, nodes: 0 };
    families.set(family, { ms: sum.ms + ms, nodes: sum.nodes + nodes });
  };
  const ofRun = events.filter(({ cat, ts }) => cat === 'Node' && ts >= run.ts);
  for (const event of ofRun) {
    if (event.name.endsWith(kernelTime)) add(familyOf(event), event.dur / 1000, 1);
  }
  const stepMs = run.dur / 1000;
  const inNodes = [...families.values()].reduce((sum, { ms }) => sum + ms, 0);
  add('between nodes', Math.max(0, stepMs - inNodes), 0);
  return {
    stepMs: rounded(stepMs),
    families: [...families]
      .map(([family, { ms, nodes }]) => ({ family, ms: rounded(ms, 2), nodes }))
      .sort((a, b) => b.ms - a.ms),
  };
}

/**
 * Names the family of a profiled node. onnxruntime names a node that it left alone by operator and
 * position, and so leads back to the graph; what it made itself goes by its operator.
 */
function classifier(graph: Graph): (event: Event) => string {
  const facts = new GraphFacts(graph);
  const offset = openShapeNodes(graph); // they stand first in the file
  return ({ name, args }) => {
    const [, operator, position] = /^([A-Za-z]+)_(\d+)_kernel_time$/.exec(name) ?? [];
    const node = position === undefined ? undefined : graph.nodes[Number(position) - offset];
    const known = node !== undefined && nameOf(node) === operator ? facts.roleOf(node) : undefined;
    if (known !== undefined) return known;
    const family = FAMILIES.find(({ operators }) => operators.includes(args.op_name))?.family;
    const isUpdate = args.input_type_shape.some((typed) =>
      Object.values(typed).some((shape) => facts.isParameterShape(shape)),
    );
    const canUpdate = family === 'elementwise' || family === 'reductions';
    return canUpdate && isUpdate ? 'optimizer and teacher' : (family ?? 'other');
  };
}

/** What the place of a node in the graph tells about its role. */
class GraphFacts {
  /** Values that follow from pictures, not from parameters alone. */
  readonly #fromImages = new Set<Value>();
  /** Values on whose way from a parameter its axes changed places. */
  readonly #turned = new Set<Value>();
  /** Values that a reshape makes four-dimensional. */
  readonly #filters = new Set<Value>();
  readonly #parameterShapes = new Set<string>();

  constructor({ inputs, nodes }: Graph) {
    for (const { name, value } of inputs) {
      if (value.type === 'uint8') this.#fromImages.add(value);
      if (name.startsWith('state/') && value.shape.length > 1) {
        this.#parameterShapes.add(value.shape.join());
      }
    }
    for (const node of nodes) {
      const turns = TURNING.includes(node.operator);
      const known = node.inputs.filter((value) => value !== undefined);
      for (const output of node.outputs) {
        if (known.some((value) => this.#fromImages.has(value))) this.#fromImages.add(output);
        if (turns || known.some((value) => this.#turned.has(value))) this.#turned.add(output);
      }
      const [source] = known;
      const isFilter = node.operator === 'Reshape' && node.outputs[0]?.shape.length === 4;
      if (isFilter && source !== undefined) this.#filters.add(source);
    }
  }

  /** Convolutions by direction; undefined where the operator alone tells the family. */
  roleOf(node: Node): string | undefined {
    const { inputs, outputs } = node;
    const operator = nameOf(node);
    const [first, second] = inputs;
    if (first === undefined || second === undefined) return undefined;
    const fromImages = [first, second].map((value) => this.#fromImages.has(value));
    if (operator === 'Conv') {
      if (fromImages[1] === true) return 'convolution, filter gradient';
      return `convolution, ${this.#turned.has(second) ? 'input gradient' : 'forward'}`;
    }
    if (operator !== 'Gemm' && operator !== 'MatMul') return undefined;
    if (!fromImages.includes(true)) return 'data movement'; // filters put into another order
    const isFilter = outputs[0] !== undefined && this.#filters.has(outputs[0]);
    return isFilter && !fromImages.includes(false) ? 'convolution, filter gradient' : undefined;
  }

  isParameterShape(shape: readonly number[]): boolean {
    return shape.length > 1 && this.#parameterShapes.has(shape.join());
  }
}

/** What onnxruntime's profile calls a node's operator. */
function nameOf({ operator }: Node): string {
  return operator.startsWith(BLOCKED) ? operator.slice(BLOCKED.length) : operator;
}

/** Operators by which a filter gets its axes in another order. */
const TURNING: readonly string[] = ['Transpose', 'Gemm', 'Gather'];

const FAMILIES: readonly { readonly family: string; readonly operators: readonly string[] }[] = [
  // Only a convolution whose filter is a constant is rewritten so that its name is lost.
  { family: 'convolution, forward', operators: ['Conv', 'FusedConv'] },
  { family: 'matrix products', operators: ['Gemm', 'FusedGemm', 'MatMul', 'FusedMatMul'] },
  {
    family: 'normalization',
    operators: ['BatchNormalization', 'LayerNormalization', 'InstanceNormalization'],
  },
  { family: 'softmax', operators: ['Softmax', 'LogSoftmax'] },
  {
    family: 'reductions',
    operators: [
      ...['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceSumSquare', 'ReduceL2'],
      ...['ArgMax', 'TopK'],
    ],
  },
  {
    family: 'pooling and resizing',
    operators: [
      ...['MaxPool', 'AveragePool', 'GlobalAveragePool', 'Resize', 'DepthToSpace', 'SpaceToDepth'],
    ],
  },
  {
    family: 'data movement',
    operators: [
      ...['Transpose', 'Concat', 'Slice', 'Split', 'Pad', 'Reshape', 'Expand', 'Tile', 'Identity'],
      ...[
        'Squeeze',
        'Unsqueeze',
        'Flatten',
        'Gather',
        'GatherElements',
        'ScatterElements',
        'ScatterND',
      ],
      ...['ReorderInput', 'ReorderOutput', 'MemcpyFromHost', 'MemcpyToHost'],
    ],
  },
  {
    family: 'elementwise',
    operators: [
      ...['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Abs', 'Sqrt', 'Reciprocal', 'Exp', 'Log', 'Erf'],
      ...['Pow', 'Max', 'Min', 'Clip', 'Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'Sign', 'Floor'],
      ...['Ceil', 'Round', 'Cast', 'Where', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'Mod'],
      ...['LessOrEqual', 'And', 'Or', 'Not', 'Sum', 'Gelu', 'BiasGelu', 'QuickGelu', 'FastGelu'],
    ],
  },
];
