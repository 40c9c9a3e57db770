import { defined } from '../../lib/errors.ts';
import { GraphBuilder, type ElementType, type Graph, type Node, type Value } from '../ir.ts';
import { sizeOf } from '../shapes.ts';
import type { Provider } from '../types.ts';

export interface RecomputeOptions {
  /** Smaller values are kept: they cost little memory. */
  readonly minBytes?: number;
  /** The share of the graph's nodes that lies between the uses of a value worth making again. */
  readonly minGap?: number;
}

/**
 * The same graph with large, cheaply made values computed a second time where the backward pass needs
 * them, so that they need no memory in between (gradient checkpointing; Chen et al. 2016, "Training
 * deep nets with sublinear memory cost"). What convolutions and products make is kept; what element by
 * element operations make of it, such as a normalized map, its rectified form and the parts of a GELU,
 * is made again.
 *
 * Nothing else would stop onnxruntime from merging the copy with the original, or from making it too
 * early. So the first operation of a copy reads a parameter to which a zero is added that depends on
 * the backward pass having come so far.
 */
export function recompute(
  graph: Graph,
  provider: Provider,
  { minBytes = 2 ** 20, minGap = 0.05 }: RecomputeOptions = {},
): Graph {
  const uses = new Uses(graph, minGap * graph.nodes.length);
  const again = new Planner(graph, uses, minBytes).chosen();
  if (again.size === 0) return graph;
  return new Rewriter(graph, { uses, again, minBytes }, provider).rewritten();
}

/** Operations that pass over their operands once, with what a pass costs beside an addition. */
const CHEAP: ReadonlyMap<string, number> = new Map([
  ...['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Sign', 'Relu'].map((name) => [name, 1] as const),
  ['HardSigmoid', 1],
  ...['Erf', 'Exp', 'Sigmoid', 'BatchNormalization'].map((name) => [name, 2] as const),
  ['Reshape', 0],
]);

/** Making a value again may cost as much as this many additions. */
const maxCost = 8;

/** Copies that others are made of must be wanted at nearly the same place. */
const sameTimeNodes = 40;

/** Those that depend on nothing but a step further in the backward pass. */
const HEAVY: ReadonlySet<string> = new Set(['Conv', 'MatMul', 'Gemm']);

/** These stay as they are when a zero is added to a small operand. */
const TAKES_ZERO: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'BatchNormalization']);

/** So many operations after a pause something made during it is looked for. */
const maxHops = 6;

/** Between two uses of a value; node indices. */
interface Pause {
  /** The last use before it, or the node that made the value. */
  readonly from: number;
  /** The first use after it. */
  readonly until: number;
}

/** The longest pause of a value, in which it lies idle. */
interface Idle extends Pause {
  readonly lastUse: number;
}

/** Where values are made and used. */
class Uses {
  readonly #nodes: readonly Node[];
  readonly #idle = new Map<number, Idle>();
  readonly #heavy: readonly number[];
  /** For each value the node that made it, then those that use it. */
  readonly #places: ReadonlyMap<number, readonly number[]>;

  constructor(graph: Graph, minGap: number) {
    this.#nodes = graph.nodes;
    const places = new Map<number, number[]>();
    graph.nodes.forEach((node, place) => {
      for (const input of node.inputs) if (input) places.get(input.id)?.push(place);
      for (const { id } of node.outputs) places.set(id, [place]);
    });
    this.#places = places;
    const outputs = new Set(graph.outputs.map(({ value }) => value.id)); // they are kept anyway
    for (const [id, list] of places) {
      const idle = outputs.has(id) ? undefined : longestPause(list);
      if (idle !== undefined && idle.until - idle.from > minGap) this.#idle.set(id, idle);
    }
    this.#heavy = graph.nodes.flatMap(({ operator }, i) => (HEAVY.has(operator) ? [i] : []));
  }

  idle(value: Value): Idle | undefined {
    return this.#idle.get(value.id);
  }

  producer({ id }: Value): Node | undefined {
    const [place] = this.#places.get(id) ?? [];
    return place === undefined ? undefined : this.#nodes[place];
  }

  /** What a value is joined with first after its pause, of all that was made during the pause. */
  metAfter({ from, until }: Pause): Value | undefined {
    const placeOf = ({ id }: Value): number => this.#places.get(id)?.[0] ?? -1;
    let place: number | undefined = until;
    for (let hop = 0; hop < maxHops && place !== undefined; hop++) {
      const node: Node | undefined = this.#nodes[place];
      const [met] = (node?.inputs ?? [])
        .filter((input): input is Value => input !== undefined)
        .filter((input) => input.type === 'float32' && isWithin(placeOf(input), from, until))
        .sort((a, b) => placeOf(b) - placeOf(a));
      if (met !== undefined) return met;
      const result: Value | undefined = node?.outputs[0];
      place = result && this.#places.get(result.id)?.[1];
    }
    return undefined;
  }

  /** The last heavy node before a place, if it lies after another place. */
  heavyBetween(after: number, before: number): number | undefined {
    const last = this.#heavy.findLast((place) => place < before);
    return last !== undefined && last > after ? last : undefined;
  }
}

function isWithin(place: number, after: number, before: number): boolean {
  return place > after && place < before;
}

function longestPause(places: readonly number[]): Idle | undefined {
  const lastUse = places.at(-1) ?? 0;
  return places
    .slice(1)
    .map((until, i) => ({ from: places[i] ?? 0, until, lastUse }))
    .reduce<Idle | undefined>((longest, pause) => {
      const isLonger =
        longest === undefined || pause.until - pause.from > longest.until - longest.from;
      return isLonger ? pause : longest;
    }, undefined);
}

/** Chooses what is made again. */
class Planner {
  readonly #graph: Graph;
  readonly #uses: Uses;
  readonly #minBytes: number;
  readonly #chosen = new Set<number>();

  constructor(graph: Graph, uses: Uses, minBytes: number) {
    this.#graph = graph;
    this.#uses = uses;
    this.#minBytes = minBytes;
  }

  /** Ids. In the order of the graph, so that a value knows what becomes of those it is made of. */
  chosen(): ReadonlySet<number> {
    for (const { outputs } of this.#graph.nodes) {
      for (const value of outputs) {
        const idle = this.#uses.idle(value);
        if (idle === undefined || bytesOf(value) < this.#minBytes) continue;
        if (this.#uses.heavyBetween(idle.from, idle.until) === undefined) continue;
        if (this.#cost(value, idle) <= maxCost) this.#chosen.add(value.id);
      }
    }
    return this.#chosen;
  }

  /** Of making a value again after its pause; infinite where that is not possible. */
  #cost(value: Value, idle: Idle): number {
    const node = this.#uses.producer(value);
    const own = CHEAP.get(node?.operator ?? '');
    if (node === undefined || own === undefined) return Infinity;
    const large = largeInputs(node, this.#minBytes);
    const sum = large.reduce((cost, input) => cost + this.#costOfInput(input, idle), own);
    const startsHere = large.every((input) => isThere(input, idle, this.#uses, this.#chosen));
    return startsHere && zeroPlace(node, this.#minBytes) === undefined ? Infinity : sum;
  }

  #costOfInput(input: Value, idle: Idle): number {
    if (isThere(input, idle, this.#uses, this.#chosen)) return 0;
    if (!this.#chosen.has(input.id)) return this.#cost(input, idle);
    const until = this.#uses.idle(input)?.until ?? Infinity;
    return Math.abs(until - idle.until) <= sameTimeNodes ? 0 : Infinity;
  }
}

/** Whether a value that is not made again lives until a pause of another is over. */
function isThere(value: Value, { until }: Idle, uses: Uses, again: ReadonlySet<number>): boolean {
  if (uses.producer(value) === undefined) return true; // an input of the graph
  return !again.has(value.id) && (uses.idle(value)?.lastUse ?? -1) >= until;
}

/** The place of a small float operand to which a zero can be added. */
function zeroPlace({ operator, inputs }: Node, minBytes: number): number | undefined {
  if (!TAKES_ZERO.has(operator)) return undefined;
  // Of a batch norm's operands, scale is the one that is always a parameter.
  const place =
    operator === 'BatchNormalization'
      ? 1
      : inputs.findIndex((input) => input !== undefined && bytesOf(input) < minBytes);
  return inputs[place]?.type === 'float32' ? place : undefined;
}

interface Plan {
  readonly uses: Uses;
  readonly again: ReadonlySet<number>;
  readonly minBytes: number;
}

class Rewriter {
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #builder: GraphBuilder;
  readonly #originals = new Map<number, Value>();
  readonly #copies = new Map<number, Value>();

  constructor(graph: Graph, plan: Plan, provider: Provider) {
    this.#graph = graph;
    this.#plan = plan;
    this.#builder = new GraphBuilder(provider);
  }

  rewritten(): Graph {
    for (const { name, value } of this.#graph.inputs) {
      this.#originals.set(value.id, this.#builder.input(name, value.type, value.shape));
    }
    this.#graph.nodes.forEach((node, place) => {
      const inputs = node.inputs.map((input) => input && this.#at(input, place));
      this.#append(node, inputs, this.#originals);
    });
    const outputs = this.#graph.outputs.map(({ name, value }) => ({
      name,
      value: this.#original(value),
    }));
    return this.#builder.finish(outputs);
  }

  #append(
    { operator, attributes, outputs }: Node,
    inputs: readonly (Value | undefined)[],
    into: Map<number, Value>,
  ): void {
    const made = this.#builder.nodeWithOutputs(operator, inputs, attributes, outputs.length);
    outputs.forEach(({ id }, i) => into.set(id, defined(made[i], `output of ${operator}`)));
  }

  /** What a node at a place reads: the copy, once the pause is over. */
  #at(value: Value, place: number): Value {
    const idle = this.#plan.uses.idle(value);
    const isAgain = this.#plan.again.has(value.id) && idle !== undefined && place >= idle.until;
    return isAgain ? this.#copy(value, idle) : this.#original(value);
  }

  #original(value: Value): Value {
    return value.constant === undefined
      ? defined(this.#originals.get(value.id), `v${value.id}`)
      : this.#builder.constant(value.type, value.shape, value.constant);
  }

  #copy(value: Value, idle: Idle): Value {
    const known = this.#copies.get(value.id);
    if (known !== undefined) return known;
    const node = defined(this.#plan.uses.producer(value), `producer of v${value.id}`);
    const { minBytes, again, uses } = this.#plan;
    const gone = new Set(
      largeInputs(node, minBytes).filter((input) => !isThere(input, idle, uses, again)),
    );
    const place = gone.size === 0 ? zeroPlace(node, minBytes) : undefined;
    const inputs = node.inputs.map((input, i) => {
      if (input === undefined) return undefined;
      if (gone.has(input)) return this.#copy(input, idle);
      const original = this.#original(input);
      return i === place ? this.#builder.node('Add', [original, this.#zero(idle)]) : original;
    });
    this.#append(node, inputs, this.#copies);
    return defined(this.#copies.get(value.id), `copy of v${value.id}`);
  }

  /** A zero that exists once the backward pass has come to the end of a pause. */
  #zero({ from, until }: Idle): Value {
    const { uses } = this.#plan;
    const place = defined(uses.heavyBetween(from, until), 'a node of the backward pass');
    const heavy = defined(this.#graph.nodes[place]?.outputs[0], 'its output');
    const value = this.#original(uses.metAfter({ from, until }) ?? heavy);
    const graph = this.#builder;
    const axes = value.shape.map((_, axis) => axis);
    const [zeros, ones] = [0, 1].map((n) => graph.integers(axes.map(() => n)));
    const first = graph.node('Slice', [value, zeros, ones, graph.integers(axes)]);
    const scalar = graph.node('Reshape', [first, graph.integers([1])]);
    return graph.node('Mul', [scalar, graph.float(0)]);
  }
}

/** Large inputs that are not constants. */
function largeInputs({ inputs }: Node, minBytes: number): readonly Value[] {
  return inputs.filter(
    (input): input is Value =>
      input !== undefined && input.constant === undefined && bytesOf(input) >= minBytes,
  );
}

const BYTES_PER_NUMBER: Partial<Record<ElementType, number>> = {
  int64: 8,
  float16: 2,
  bool: 1,
  uint8: 1,
};

function bytesOf({ shape, type }: Value): number {
  return sizeOf(shape) * (BYTES_PER_NUMBER[type] ?? 4);
}
