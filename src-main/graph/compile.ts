import { AppError } from '../lib/errors.ts';
import type { Graph } from './ir.ts';
import { writeOnnx } from './onnx-writer.ts';
import { eagerFunction, eagerStep } from './eager.ts';
import { checkState, copyOf } from './host-state.ts';
import {
  hostTensor,
  openSession,
  sessionTensor,
  type Session,
  type SessionTensor,
} from './session.ts';
import { inputName, outputName, traceFunction, traceStep, type TensorSpecs } from './trace.ts';
import {
  CPU,
  type Device,
  type HostData,
  type HostTensors,
  type PureFunction,
  type StepFunction,
} from './types.ts';

export type BatchData = Readonly<Record<string, HostData>>;

export interface CompileInfo {
  readonly nodes: number;
  readonly traceMs: number;
  readonly compileMs: number;
}

/** A training step that owns its state. */
export interface CompiledStep {
  /** Runs one step and returns its outputs. */
  run(batch: BatchData): Promise<HostTensors>;
  /** A copy of the whole state. */
  readState(): Promise<HostTensors>;
  /** Replaces the whole state; names and shapes must be those of the start. */
  writeState(state: HostTensors): Promise<void>;
  readonly info: CompileInfo;
  dispose(): Promise<void>;
}

/** A function whose parameters are handed in on every run. */
export interface CompiledFunction {
  run(params: HostTensors, inputs: BatchData): Promise<HostTensors>;
  readonly info: CompileInfo;
  dispose(): Promise<void>;
}

export interface StepOptions {
  readonly state: HostTensors;
  readonly batch: TensorSpecs;
  readonly device: Device;
  readonly label: string;
  /** Writes an onnxruntime profile to a file that begins so. */
  readonly profilePrefix?: string;
  /**
   * With it, a device that refuses the step is replaced by the CPU and the sentence says so; without
   * it the refusal is thrown.
   */
  readonly onFallback?: (sentence: string) => void;
}

/**
 * Traces a step once and compiles it; the state starts as given (it is copied).
 * @throws AppError `device.unavailable`, `graph.missing-kernel`, `graph.state-changed`
 */
export async function compileStep(step: StepFunction, options: StepOptions): Promise<CompiledStep> {
  const { device, onFallback } = options;
  try {
    return await compileOnDevice(step, options);
  } catch (error) {
    const isRefusal = error instanceof AppError && error.code === 'device.unavailable';
    const isCpu = device.executor === 'onnxruntime' && device.provider === 'cpu';
    if (!isRefusal || isCpu || onFallback === undefined) throw error;
    onFallback(`The CPU is used instead of the chosen device. ${error.message}`);
    return compileOnDevice(step, { ...options, device: CPU });
  }
}

async function compileOnDevice(step: StepFunction, options: StepOptions): Promise<CompiledStep> {
  if (options.device.executor !== 'onnxruntime') return eagerStep(step, options);
  const started = performance.now();
  const graph = traceStep(step, options.state, options.batch, options.device.provider);
  const traceMs = performance.now() - started;
  const session = await openSession(writeOnnx(graph, options.label), options.device, options);
  const compileMs = performance.now() - started - traceMs;
  return new OnnxStep(session, graph, options, { nodes: graph.nodes.length, traceMs, compileMs });
}

/** Traces a function once and compiles it; `params` gives names and shapes. */
export async function compileFunction(
  fn: PureFunction,
  options: {
    readonly params: TensorSpecs;
    readonly inputs: TensorSpecs;
    readonly device: Device;
    readonly label: string;
  },
): Promise<CompiledFunction> {
  const { inputs, device } = options;
  const params = Object.fromEntries(
    Object.entries(options.params).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
  if (device.executor !== 'onnxruntime') return eagerFunction(fn, { params, inputs, device });
  const started = performance.now();
  const graph = traceFunction(fn, params, inputs, { provider: device.provider });
  const traceMs = performance.now() - started;
  const session = await openSession(writeOnnx(graph, options.label), device);
  const compileMs = performance.now() - started - traceMs;
  const isUsed = new Set(session.inputNames);
  return {
    info: { nodes: graph.nodes.length, traceMs, compileMs },
    async run(values, batch) {
      const feeds = {
        ...feedsOf(
          'state',
          params,
          Object.fromEntries(Object.entries(values).map(([n, v]) => [n, v.data])),
        ),
        ...feedsOf('batch', inputs, batch),
      };
      const used = Object.entries(feeds).filter(([name]) => isUsed.has(name));
      return outputsOf(await session.run(Object.fromEntries(used)));
    },
    async dispose() {
      await session.release();
    },
  };
}

class OnnxStep implements CompiledStep {
  readonly info: CompileInfo;
  readonly #session: Session;
  readonly #batch: TensorSpecs;
  readonly #next: readonly string[];
  #state: Record<string, SessionTensor>;

  constructor(session: Session, graph: Graph, options: StepOptions, info: CompileInfo) {
    this.#session = session;
    this.#batch = options.batch;
    this.info = info;
    const prefix = outputName('next', '');
    this.#next = graph.outputs
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => name.slice(prefix.length));
    this.#state = stateTensors(options.state);
  }

  async run(batch: BatchData): Promise<HostTensors> {
    const results = await this.#session.run({
      ...this.#state,
      ...feedsOf('batch', this.#batch, batch),
    });
    for (const name of this.#next) {
      const tensor = results[outputName('next', name)];
      if (tensor !== undefined) this.#state[inputName('state', name)] = tensor;
    }
    return outputsOf(results);
  }

  readState(): Promise<HostTensors> {
    const prefix = inputName('state', '');
    const copies = Object.entries(this.#state).map(([name, tensor]) => [
      name.slice(prefix.length),
      copyOf(hostTensor(tensor)),
    ]);
    return Promise.resolve(Object.fromEntries(copies));
  }

  async writeState(state: HostTensors): Promise<void> {
    checkState(state, await this.readState());
    this.#state = stateTensors(state);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

function stateTensors(state: HostTensors): Record<string, SessionTensor> {
  return Object.fromEntries(
    Object.entries(state).map(([name, tensor]) => [
      inputName('state', name),
      sessionTensor(tensor, copyOf(tensor).data),
    ]),
  );
}

function feedsOf(role: 'state' | 'batch', specs: TensorSpecs, data: BatchData) {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const values = data[name];
      if (values === undefined) throw new Error(`The ${role} lacks ${name}`);
      return [inputName(role, name), sessionTensor(spec, values)];
    }),
  );
}

function outputsOf(results: Readonly<Record<string, SessionTensor>>): HostTensors {
  const prefix = outputName('out', '');
  return Object.fromEntries(
    Object.entries(results)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), hostTensor(tensor)]),
  );
}
