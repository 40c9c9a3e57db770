import { type Tensor } from '@tensorflow/tfjs-core';
import { AppError, messageOf } from '../lib/errors.ts';
import { tensorOf, tracedOf, withTracing } from './backend.ts';
import { GraphBuilder, type Graph, type NamedValue, type Value } from './ir.ts';
import { contiguous, plain, type Traced } from './layout.ts';
import { castTo } from './kernels/elementwise.ts';
import type {
  HostTensors,
  NamedTensors,
  Provider,
  PureFunction,
  StepFunction,
  TensorSpec,
} from './types.ts';

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

/** Shapes and types alone, so that whoever keeps them does not keep the numbers. */
export function specsOf(tensors: TensorSpecs): TensorSpecs {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
}

/** Names of graph inputs and outputs carry their role, so that a batch may reuse a state's name. */
export const inputName = (role: 'state' | 'batch', name: string) => `${role}/${name}`;
export const outputName = (role: 'next' | 'out', name: string) => `${role}/${name}`;

/**
 * Records one call of `step` as a graph. State that a step returns untouched is not an output.
 * @throws AppError `graph.missing-kernel`, `graph.state-changed` (names or shapes differ)
 */
export function traceStep(
  step: StepFunction,
  state: TensorSpecs,
  batch: TensorSpecs,
  provider?: Provider,
): Graph {
  return traced(provider, (graph) => {
    const stateIn = inputsOf(graph, 'state', state);
    const batchIn = inputsOf(graph, 'batch', batch);
    const result = step(tensorsOf(stateIn), tensorsOf(batchIn));
    checkSameState(state, result.state);
    const next = Object.entries(result.state).flatMap(([name, tensor]) => {
      const value = contiguous(graph, tracedOf(tensor));
      return value === stateIn[name]?.value ? [] : [{ name: outputName('next', name), value }];
    });
    return [...next, ...outputsOf(graph, result.outputs, (name) => outputName('out', name))];
  });
}

export interface TraceOptions {
  /** Names of the graph's inputs and outputs; with their role in front when absent. */
  readonly names?: typeof roleNames;
  /** Where the graph will run; the CPU when absent. */
  readonly provider?: Provider;
}

const roleNames = {
  input: (name: string): string => inputName('batch', name),
  output: (name: string): string => outputName('out', name),
};

/**
 * Records one call of `fn`. Parameters given with data become constants of the graph, parameters
 * given as shapes become inputs.
 */
export function traceFunction(
  fn: PureFunction,
  params: TensorSpecs | HostTensors,
  inputs: TensorSpecs,
  options: TraceOptions = {},
): Graph {
  const { names = roleNames, provider } = options;
  return traced(provider, (graph) => {
    const parameters = Object.entries(params).map(
      ([name, spec]) => [name, parameterOf(graph, name, spec)] as const,
    );
    const batch = Object.entries(inputs).map(
      ([name, spec]) => [name, inputOf(graph, names.input(name), spec)] as const,
    );
    const result = fn(
      tensorsOf(Object.fromEntries(parameters)),
      tensorsOf(Object.fromEntries(batch)),
    );
    return outputsOf(graph, result, names.output);
  });
}

function traced(
  provider: Provider | undefined,
  record: (graph: GraphBuilder) => readonly NamedValue[],
): Graph {
  const graph = new GraphBuilder(provider);
  try {
    return graph.finish(withTracing(graph, () => record(graph)));
  } catch (cause) {
    const kernel = /Kernel '(\w+)' not registered/.exec(messageOf(cause))?.[1];
    if (kernel === undefined) throw cause;
    throw new AppError('graph.missing-kernel', `The operation ${kernel} cannot be compiled.`, {
      details: { kernel },
      cause,
    });
  }
}

function parameterOf(graph: GraphBuilder, name: string, spec: TensorSpec): Traced {
  if (!('data' in spec)) return inputOf(graph, inputName('state', name), spec);
  const { data } = spec;
  const isData =
    data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array;
  if (!isData) throw new Error(`Parameter ${name} holds no numbers`);
  return plain(graph.constant(spec.dtype, spec.shape, data));
}

function inputsOf(graph: GraphBuilder, role: 'state' | 'batch', specs: TensorSpecs) {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      inputOf(graph, inputName(role, name), spec),
    ]),
  );
}

/** Bytes are given to the function as floats from 0 to 255. */
function inputOf(graph: GraphBuilder, name: string, spec: TensorSpec): Traced {
  const value: Value = graph.input(name, spec.dtype, spec.shape);
  return plain(spec.dtype === 'uint8' ? castTo(graph, value, 'float32') : value);
}

function tensorsOf(traced: Readonly<Record<string, Traced>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(traced).map(([name, t]) => [name, tensorOf(t)]));
}

function outputsOf(
  graph: GraphBuilder,
  tensors: NamedTensors,
  nameOf: (name: string) => string,
): NamedValue[] {
  return Object.entries(tensors).map(([name, tensor]) => {
    const value = contiguous(graph, tracedOf(tensor));
    return {
      name: nameOf(name),
      value: value.type === 'bool' ? castTo(graph, value, 'int32') : value,
    };
  });
}

function checkSameState(before: TensorSpecs, after: NamedTensors): void {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  for (const name of names) {
    const [old, next] = [before[name], after[name]];
    if (`${old?.shape}` === `${next?.shape}` && old?.dtype === next?.dtype) continue;
    throw new AppError(
      'graph.state-changed',
      `The step turned state ${name} from ${describe(old)} into ${describe(next)}.`,
    );
  }
}

function describe(tensor: { dtype: string; shape: readonly number[] } | undefined): string {
  return tensor === undefined ? 'nothing' : `${tensor.dtype}[${tensor.shape}]`;
}
