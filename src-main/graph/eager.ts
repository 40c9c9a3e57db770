import { engine, setBackend, tensor, type Tensor } from '@tensorflow/tfjs-core';
import './gradients.ts';
import { AppError, defined } from '../lib/errors.ts';
import { checkState, copiesOf } from './host-state.ts';
import type { BatchData, CompiledFunction, CompiledStep, StepOptions } from './compile.ts';
import type { TensorSpecs } from './trace.ts';
import type {
  DataType,
  Device,
  HostData,
  HostTensor,
  HostTensors,
  NamedTensors,
  PureFunction,
  StepFunction,
} from './types.ts';

/** Nothing crosses: kernels run where the numbers lie. */
const NO_TRAFFIC = { uploadedBytes: 0, downloadedBytes: 0 } as const;
const NO_COMPILATION = { nodes: 0, traceMs: 0, compileMs: 0 } as const;

/** Runs a step as it stands, operation by operation, on a tfjs backend. */
export async function eagerStep(step: StepFunction, options: StepOptions): Promise<CompiledStep> {
  await activate(options.device);
  let state = copiesOf(options.state);
  return {
    info: NO_COMPILATION,
    traffic: NO_TRAFFIC,
    async run(batch) {
      await activate(options.device);
      const result = scoped(() => {
        const { state: next, outputs } = step(
          tensors(state, dataOf(state)),
          tensors(options.batch, batch),
        );
        return { next: hosted(next), outputs: hosted(outputs) };
      });
      checkState(result.next, state);
      state = result.next;
      return result.outputs;
    },
    readState: () => Promise.resolve(copiesOf(state)),
    writeState(next) {
      checkState(next, state);
      state = copiesOf(next);
      return Promise.resolve();
    },
    dispose: () => Promise.resolve(),
  };
}

/** Runs a function as it stands, operation by operation, on a tfjs backend. */
export async function eagerFunction(
  fn: PureFunction,
  options: { readonly params: TensorSpecs; readonly inputs: TensorSpecs; readonly device: Device },
): Promise<CompiledFunction> {
  await activate(options.device);
  return {
    info: NO_COMPILATION,
    async run(params, inputs) {
      await activate(options.device);
      return scoped(() =>
        hosted(fn(tensors(params, dataOf(params)), tensors(options.inputs, inputs))),
      );
    },
    dispose: () => Promise.resolve(),
  };
}

/** Runs `body` and frees every tensor that it made. */
function scoped<T>(body: () => T): T {
  engine().startScope();
  try {
    return body();
  } finally {
    engine().endScope();
  }
}

/** @throws AppError `device.unavailable` when the backend cannot be loaded */
async function activate({ executor }: Device): Promise<void> {
  const name = executor === 'tensorflow' ? 'tensorflow' : 'cpu';
  if (engine().backendName === name) return;
  if (executor === 'reference') await import('@tensorflow/tfjs-backend-cpu');
  if (executor === 'tensorflow') await (await import('./tensorflow.ts')).loadTensorflow();
  if (!(await setBackend(name))) {
    throw new AppError('device.unavailable', `The ${name} backend of TensorFlow.js did not start.`);
  }
}

function dataOf(values: HostTensors): BatchData {
  return Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data]));
}

/** Bytes are given to the function as floats, as in compiled graphs. */
function tensors(specs: TensorSpecs, data: BatchData): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape, dtype }]) => {
      const values = defined(data[name], `values of ${name}`);
      const numbers = dtype === 'uint8' ? Float32Array.from(values) : values;
      return [name, tensor(numbers, [...shape], dtype === 'int32' ? 'int32' : 'float32')];
    }),
  );
}

function hosted(values: NamedTensors): HostTensors {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hostOf(value)]));
}

function hostOf(value: Tensor): HostTensor {
  const read: unknown = value.dataSync();
  const data: HostData =
    read instanceof Float32Array || read instanceof Int32Array
      ? read.slice()
      : Int32Array.from(value.dataSync());
  const dtype: DataType = data instanceof Float32Array ? 'float32' : 'int32';
  return { dtype, shape: value.shape, data };
}
