import { AppError } from '../../lib/errors.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import type { Traced } from '../layout.ts';

/** Turns one tfjs kernel call into nodes. */
export type Kernel = (call: KernelCall) => Traced | readonly Traced[];

/** The kernels of one family, by tfjs kernel name. */
export type KernelTable = Readonly<Record<string, Kernel>>;

/** One call of a tfjs kernel: named inputs and untyped attributes. */
export class KernelCall {
  readonly name: string;
  readonly graph: GraphBuilder;
  readonly #inputs: Readonly<Record<string, Traced>>;
  readonly #attributes: Readonly<Record<string, unknown>>;

  constructor(
    name: string,
    graph: GraphBuilder,
    inputs: Readonly<Record<string, Traced>>,
    attributes: Readonly<Record<string, unknown>>,
  ) {
    this.name = name;
    this.graph = graph;
    this.#inputs = inputs;
    this.#attributes = attributes;
  }

  input(name: string): Traced {
    return this.#inputs[name] ?? this.#fail(`input ${name}`);
  }

  /** An input that tfjs may leave out. */
  optionalInput(name: string): Traced | undefined {
    return this.#inputs[name];
  }

  /** All inputs in order, for kernels that take a list. */
  list(): readonly Traced[] {
    return Object.values(this.#inputs);
  }

  node(operator: string, inputs: readonly (Value | undefined)[], attributes = {}): Value {
    return this.graph.node(operator, inputs, attributes);
  }

  attribute(name: string): unknown {
    return this.#attributes[name];
  }

  number(name: string): number {
    const value = this.#attributes[name];
    return typeof value === 'number' ? value : this.#fail(`number ${name}`);
  }

  boolean(name: string): boolean {
    return this.#attributes[name] === true;
  }

  text(name: string): string {
    const value = this.#attributes[name];
    return typeof value === 'string' ? value : this.#fail(`text ${name}`);
  }

  /** A list of numbers; a single number counts as a list of one. */
  numbers(name: string): number[] {
    const value = this.#attributes[name];
    const list: unknown[] = typeof value === 'number' ? [value] : Array.isArray(value) ? value : [];
    return list.map((item) => (typeof item === 'number' ? item : this.#fail(`numbers ${name}`)));
  }

  /** A number for height and width, given as one or two. */
  pair(name: string): readonly [number, number] {
    const [height, width = height] = this.numbers(name);
    if (height === undefined || width === undefined) return this.#fail(`pair ${name}`);
    return [height, width];
  }

  /** Axes as numbers from 0; all axes when the attribute is absent. */
  axes(name: string, rank: number): number[] {
    const value = this.#attributes[name];
    if (value === undefined || value === null) return Array.from({ length: rank }, (_, i) => i);
    return this.numbers(name).map((axis) => (axis < 0 ? axis + rank : axis));
  }

  #fail(what: string): never {
    throw new AppError('graph.bad-kernel-call', `Kernel ${this.name} was called without ${what}.`);
  }
}

/** An untyped list of number pairs, as tfjs gives paddings; anything else is an empty list. */
export function numberPairs(value: unknown): (readonly [number, number])[] {
  if (!Array.isArray(value)) return [];
  const list: unknown[] = value;
  return list.map((pair) => {
    const numbers: unknown[] = Array.isArray(pair) ? pair : [];
    const [first, second] = numbers;
    return [Number(first), Number(second)];
  });
}
