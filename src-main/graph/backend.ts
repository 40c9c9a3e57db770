import {
  DataStorage,
  KernelBackend,
  engine,
  registerBackend,
  registerKernel,
  setBackend,
  type DataId,
  type DataType,
  type NamedTensorInfoMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import './gradients.ts';
import { AppError, defined } from '../lib/errors.ts';
import type { ConstantData, GraphBuilder } from './ir.ts';
import { plain, type Traced } from './layout.ts';
import { convolutionKernels } from './kernels/convolution.ts';
import { elementTypeOf, elementwiseKernels, filled } from './kernels/elementwise.ts';
import { imageGradientKernels } from './kernels/image-gradient.ts';
import { KernelCall, type KernelTable } from './kernels/kernel.ts';
import { keptRowsKernels } from './kernels/kept-rows.ts';
import { matrixKernels } from './kernels/matrix.ts';
import { normalizationKernels } from './kernels/normalization.ts';
import { poolingKernels } from './kernels/pooling.ts';
import { reductionKernels } from './kernels/reduction.ts';
import { resizeKernels } from './kernels/resize.ts';
import { shapeKernels } from './kernels/shape.ts';

const BACKEND = 'decon-trace';

/** Every tfjs kernel that can be traced, by name. */
export const TRACED_KERNELS: KernelTable = {
  ...convolutionKernels,
  ...elementwiseKernels,
  ...imageGradientKernels,
  ...keptRowsKernels,
  ...matrixKernels,
  ...normalizationKernels,
  ...poolingKernels,
  ...reductionKernels,
  ...resizeKernels,
  ...shapeKernels,
};

/**
 * A tfjs backend whose kernels append ONNX nodes instead of computing. Tensors made while it is
 * active hold no numbers; reading one is an error that says so.
 */
class TracingBackend extends KernelBackend {
  readonly #tensors: DataStorage<Traced> = new DataStorage(this, engine());
  #graph: GraphBuilder | undefined;

  begin(graph: GraphBuilder): void {
    if (this.#graph !== undefined) throw new Error('Traces cannot be nested');
    this.#graph = graph;
  }

  end(): void {
    this.#graph = undefined;
  }

  get graph(): GraphBuilder {
    return defined(this.#graph, 'a trace in progress');
  }

  /** The traced tensor behind a tfjs tensor; numbers of other backends become constants. */
  tracedOf(info: TensorInfo): Traced {
    return this.#tensors.get(info.dataId);
  }

  /** Gives a traced tensor the identity that tfjs asks for. */
  infoOf(traced: Traced): TensorInfo {
    const dataId = {};
    this.#tensors.set(dataId, traced);
    return { dataId, shape: [...traced.shape], dtype: tfjsTypeOf(traced) };
  }

  override write(values: unknown, shape: number[], dtype: DataType): DataId {
    return this.infoOf(constantOf(this.graph, values, shape, dtype)).dataId;
  }

  override move(dataId: DataId, values: unknown, shape: number[], dtype: DataType): void {
    this.#tensors.set(dataId, constantOf(this.graph, values, shape, dtype));
  }

  override readSync(): never {
    throw new AppError(
      'graph.value-needed',
      'A compiled function read the numbers of a tensor. Only shapes are known while compiling.',
    );
  }

  override read(): Promise<never> {
    return this.readSync();
  }

  /**
   * Tensors are weakly held, so nothing needs freeing; and tfjs may dispose one of two tensors that
   * share an identity.
   */
  override disposeData(): boolean {
    return false;
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override numDataIds(): number {
    return this.#tensors.numDataIds();
  }

  override memory() {
    return { unreliable: true };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}
}

const backend = new TracingBackend();
let isRegistered = false;

/**
 * Runs `body` with tfjs recording into `graph`; restores the backend that was active before.
 * `body` must be synchronous.
 */
export function withTracing<T>(graph: GraphBuilder, body: () => T): T {
  register();
  const previous = engine().backendName;
  backend.begin(graph);
  activate(BACKEND);
  engine().startScope('trace');
  try {
    return body();
  } finally {
    engine().endScope();
    backend.end();
    if (previous !== undefined && previous !== '') activate(previous);
  }
}

/** A tfjs tensor that stands for a traced one. Call within `withTracing`. */
export function tensorOf(traced: Traced): Tensor {
  return engine().makeTensorFromTensorInfo(backend.infoOf(traced));
}

/** The traced tensor behind a tfjs tensor. Call within `withTracing`. */
export function tracedOf(tensor: Tensor): Traced {
  return backend.tracedOf(tensor);
}

function activate(name: string): void {
  // Our backend and the built-in ones initialize synchronously; the promise only reports success.
  void setBackend(name);
  if (engine().backendName !== name) throw new Error(`Backend ${name} did not start`);
}

function register(): void {
  if (isRegistered) return;
  isRegistered = true;
  registerBackend(BACKEND, () => backend, 0);
  for (const [kernelName, kernel] of Object.entries(TRACED_KERNELS)) {
    registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        const call = new KernelCall(kernelName, backend.graph, tracedInputs(inputs), attrs ?? {});
        const result = kernel(call);
        return 'value' in result ? backend.infoOf(result) : result.map((r) => backend.infoOf(r));
      },
    });
  }
}

function tracedInputs(inputs: NamedTensorInfoMap): Readonly<Record<string, Traced>> {
  const result: Record<string, Traced> = {};
  for (const [name, info] of Object.entries(inputs)) {
    if (info !== undefined) result[name] = backend.tracedOf(info);
  }
  return result;
}

function tfjsTypeOf({ value }: Traced): DataType {
  if (value.type === 'float32' || value.type === 'int32' || value.type === 'bool')
    return value.type;
  throw new Error(`A kernel returned ${value.type}`);
}

/** A constant; one that repeats a single number is kept as that number. */
function constantOf(
  graph: GraphBuilder,
  values: unknown,
  shape: readonly number[],
  dtype: DataType,
): Traced {
  const type = elementTypeOf(dtype);
  const numbers = numbersOf(values);
  const [first = 0] = numbers;
  if (numbers.length > 1 && numbers.every((number) => number === first)) {
    return filled(graph, shape, first, type);
  }
  return plain(graph.constant(type, shape, constantData(numbers, type)));
}

function numbersOf(values: unknown): number[] | Float32Array | Int32Array | Uint8Array {
  if (
    values instanceof Float32Array ||
    values instanceof Int32Array ||
    values instanceof Uint8Array
  ) {
    return values;
  }
  return Array.isArray(values) ? values.map(Number) : [];
}

function constantData(numbers: ArrayLike<number>, type: string): ConstantData {
  if (type === 'float32') return Float32Array.from(numbers);
  return type === 'int32' ? Int32Array.from(numbers) : Uint8Array.from(numbers);
}
