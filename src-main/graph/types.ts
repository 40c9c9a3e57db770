import type { Tensor } from '@tensorflow/tfjs-core';

/** Element types that cross the boundary of a compiled graph. */
export type DataType = 'float32' | 'int32' | 'uint8';

export type HostData = Float32Array | Int32Array | Uint8Array;

/** Shape and element type; shapes are static throughout. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** A tensor in JavaScript memory, row-major. */
export interface HostTensor extends TensorSpec {
  readonly data: HostData;
}

export type HostTensors = Readonly<Record<string, HostTensor>>;
export type NamedTensors = Readonly<Record<string, Tensor>>;

/**
 * One training step on tfjs-core ops: takes the whole state and a batch, returns the whole next
 * state (same names, same shapes) and small outputs such as losses.
 */
export type StepFunction = (
  state: NamedTensors,
  batch: NamedTensors,
) => { readonly state: NamedTensors; readonly outputs: NamedTensors };

/** A function without state, e.g. a network in inference mode. */
export type PureFunction = (params: NamedTensors, inputs: NamedTensors) => NamedTensors;

export type Executor = 'onnxruntime' | 'tensorflow' | 'reference';
export type Provider = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

/** Where a graph runs. `reference` is tfjs's plain JavaScript backend, for tests. */
export interface Device {
  readonly executor: Executor;
  readonly provider: Provider;
  /** Threads of the CPU provider; all cores when absent. */
  readonly threads?: number;
}

/** The device that every machine has. */
export const CPU: Device = { executor: 'onnxruntime', provider: 'cpu' };
