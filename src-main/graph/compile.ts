import { AppError } from '../lib/errors.ts';
import { collectGarbage } from '../lib/kept-heap.ts';
import type { Graph } from './ir.ts';
import { writeOnnx } from './onnx-writer.ts';
import { copyOf } from './host-state.ts';
import { convolutionBlock as convolutionBlockOf } from './convolution-block.ts';
import { eagerFunction, eagerStep } from './eager.ts';
import {
  hostTensor,
  openSession,
  sessionTensor,
  type Session,
  type SessionOptions,
  type SessionTensors,
} from './session.ts';
import { openCachedSession } from './session-cache.ts';
import { blockedConvolutions } from './passes/blocked-convolutions.ts';
import { dotProducts } from './passes/dot-products.ts';
import { leaveOutRows } from './passes/kept-rows.ts';
import { halfPrecision } from './passes/half-precision.ts';
import { recompute, type RecomputeOptions } from './passes/recompute.ts';
import { winogradConvolutions } from './passes/winograd-convolutions.ts';
import { resultsFirst } from './passes/results-first.ts';
import { openSmallValues } from './passes/small-values.ts';
import { free, keepsOutputs, openState, type StepState } from './step-state.ts';
import {
  inputName,
  outputName,
  specsOf,
  traceFunction,
  traceStep,
  type TensorSpecs,
} from './trace.ts';
import {
  CPU,
  type Device,
  type HostData,
  type HostTensors,
  type Provider,
  type PureFunction,
  type StepFunction,
} from './types.ts';

export type BatchData = Readonly<Record<string, HostData>>;

export interface CompileInfo {
  readonly nodes: number;
  readonly traceMs: number;
  readonly compileMs: number;
}

/** What crossed between JavaScript and the device's memory in a run, in bytes. */
export interface Traffic {
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
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
  /** Of the last run; where the device keeps no state, the state is part of it. */
  readonly traffic: Traffic;
  dispose(): Promise<void>;
}

/** A function whose parameters are handed in on every run. */
export interface CompiledFunction {
  run(params: HostTensors, inputs: BatchData): Promise<HostTensors>;
  readonly info: CompileInfo;
  dispose(): Promise<void>;
}

/** `half` computes convolutions and matrix products in float16; it pays on graphics cards only. */
export type Precision = 'single' | 'half';

export interface StepOptions {
  readonly state: HostTensors;
  readonly batch: TensorSpecs;
  readonly device: Device;
  readonly label: string;
  /** `single` when absent, and on a CPU that takes the place of another device. */
  readonly precision?: Precision;
  /** What is worth being computed twice to save memory; for tests with small graphs. */
  readonly recompute?: RecomputeOptions;
  /** The memory of `state` is the step's from now on, which frees it with the first run. */
  readonly ownsState?: boolean;
  /** Writes an onnxruntime profile to a file that begins so. */
  readonly profilePrefix?: string;
  /** Refuses the device when it would leave a part of the step to the CPU. */
  readonly isWholeOnDevice?: boolean;
  /**
   * With it, a device that refuses the step is replaced by the CPU and the sentence says so; without
   * it the refusal is thrown.
   */
  readonly onFallback?: OnFallback;
}

type Where = Pick<StepOptions, 'device' | 'precision'>;

/** Told, in a sentence, when the CPU takes the place of a device that refuses a graph. */
export type OnFallback = (sentence: string) => void;

/**
 * Traces a step once and compiles it. The state starts as given: its numbers must stay as they are until
 * the first run, and are gone after it with `ownsState`.
 * @throws AppError `device.unavailable`, `graph.missing-kernel`, `graph.state-changed`
 */
export function compileStep(step: StepFunction, options: StepOptions): Promise<CompiledStep> {
  return withFallback(options, (where) => compileOnDevice(step, { ...options, ...where }));
}

/** On the wanted device; on the CPU when it refuses and `onFallback` is there to be told. */
async function withFallback<T>(
  { device, precision = 'single', onFallback }: Pick<StepOptions, keyof Where | 'onFallback'>,
  compile: (where: Required<Where>) => Promise<T>,
): Promise<T> {
  try {
    return await compile({ device, precision });
  } catch (error) {
    const isRefusal = error instanceof AppError && error.code === 'device.unavailable';
    const isCpu = device.executor === 'onnxruntime' && device.provider === 'cpu';
    if (!isRefusal || isCpu || onFallback === undefined) throw error;
    onFallback(`The CPU is used instead of the chosen device. ${error.message}`);
    return compile({ device: CPU, precision: 'single' });
  }
}

async function compileOnDevice(step: StepFunction, options: StepOptions): Promise<CompiledStep> {
  if (options.device.executor !== 'onnxruntime') return eagerStep(step, options);
  const started = performance.now();
  const convolutionBlock = await convolutionBlockOf(options.device);
  const graph = stepGraph(step, { ...options, convolutionBlock });
  const traceMs = performance.now() - started;
  const next = nextNames(graph);
  const { profilePrefix, isWholeOnDevice } = options;
  const sessionOptions: SessionOptions = {
    ...(profilePrefix === undefined ? {} : { profilePrefix }),
    ...(isWholeOnDevice === undefined ? {} : { isWholeOnDevice }),
    ...(keepsOutputs(options.device)
      ? { outputsOnDevice: next.map((name) => outputName('next', name)) }
      : {}),
  };
  const model = writeOnnx(graph, options.label);
  const { session } = await openCachedSession(model, options.device, sessionOptions);
  collectGarbage();
  const state = await openState(options.state, options.device, options.ownsState);
  const compileMs = performance.now() - started - traceMs;
  const info = { nodes: graph.nodes.length, traceMs, compileMs };
  return new OnnxStep({ session, state, next, batch: options.batch, info });
}

/** The graph that onnxruntime gets for a step: traced, then rewritten by one pass after another. */
export function stepGraph(
  step: StepFunction,
  options: Pick<StepOptions, 'batch' | 'device' | 'precision' | 'recompute'> & {
    readonly state: TensorSpecs;
    /** As `convolutionBlock` tells; 1 when absent. */
    readonly convolutionBlock?: number;
  },
): Graph {
  const { provider } = options.device;
  const traced = traceStep(step, options.state, options.batch, provider);
  const rounded = inPrecision(traced, options.precision, provider);
  const lean = recompute(rounded, provider, options.recompute);
  const short = leaveOutRows(lean, provider);
  const summed = dotProducts(short, provider);
  const tiled = winogradConvolutions(summed, provider);
  const blocked = blockedConvolutions(tiled, provider, options.convolutionBlock ?? 1);
  return openSmallValues(resultsFirst(blocked, isNext), provider);
}

/** A graph with its products in the precision asked for. */
export function inPrecision(
  graph: Graph,
  precision: Precision | undefined,
  provider: Provider,
): Graph {
  return precision === 'half' ? halfPrecision(graph, provider) : graph;
}

/** The state that a step changes. */
function nextNames({ outputs }: Graph): readonly string[] {
  return outputs
    .filter(({ name }) => isNext(name))
    .map(({ name }) => name.slice(outputName('next', '').length));
}

function isNext(name: string): boolean {
  return name.startsWith(outputName('next', ''));
}

export interface FunctionOptions {
  /** Names and shapes. */
  readonly params: TensorSpecs;
  readonly inputs: TensorSpecs;
  readonly device: Device;
  readonly label: string;
  /** As for a step. */
  readonly precision?: Precision;
  /** As for a step. */
  readonly onFallback?: OnFallback;
}

/** Traces a function once and compiles it. @throws AppError as compileStep */
export function compileFunction(
  fn: PureFunction,
  options: FunctionOptions,
): Promise<CompiledFunction> {
  return withFallback(options, (where) => functionOnDevice(fn, { ...options, ...where }));
}

async function functionOnDevice(
  fn: PureFunction,
  { inputs, device, ...options }: FunctionOptions,
): Promise<CompiledFunction> {
  const params = specsOf(options.params);
  if (device.executor !== 'onnxruntime') return eagerFunction(fn, { params, inputs, device });
  const started = performance.now();
  const traced = traceFunction(fn, params, inputs, { provider: device.provider });
  const rounded = inPrecision(traced, options.precision, device.provider);
  const graph = leaveOutRows(rounded, device.provider);
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

interface StepParts {
  readonly session: Session;
  readonly state: StepState;
  readonly next: readonly string[];
  readonly batch: TensorSpecs;
  readonly info: CompileInfo;
}

class OnnxStep implements CompiledStep {
  readonly info: CompileInfo;
  traffic: Traffic = { uploadedBytes: 0, downloadedBytes: 0 };
  readonly #parts: StepParts;

  constructor(parts: StepParts) {
    this.#parts = parts;
    this.info = parts.info;
  }

  async run(batch: BatchData): Promise<HostTensors> {
    const { session, state, next, batch: specs } = this.#parts;
    const feeds = {
      ...renamed(state.tensors, (name) => inputName('state', name)),
      ...feedsOf('batch', specs, batch),
    };
    const results = await session.run(feeds);
    this.traffic = { uploadedBytes: hostBytes(feeds), downloadedBytes: hostBytes(results) };
    state.take(
      Object.fromEntries(
        next.flatMap((name) => {
          const tensor = results[outputName('next', name)];
          return tensor === undefined ? [] : [[name, tensor] as const];
        }),
      ),
    );
    return takenOutputs(results);
  }

  readState(): Promise<HostTensors> {
    return this.#parts.state.read();
  }

  writeState(state: HostTensors): Promise<void> {
    return this.#parts.state.write(state);
  }

  async dispose(): Promise<void> {
    await this.#parts.state.dispose();
    await this.#parts.session.release();
  }
}

function renamed(tensors: SessionTensors, rename: (name: string) => string): SessionTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]),
  );
}

/** Bytes of the tensors that lie in JavaScript memory. */
function hostBytes(tensors: SessionTensors): number {
  return Object.values(tensors)
    .filter(({ location }) => location === 'cpu')
    .reduce((sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0), 0);
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

function outputsOf(results: SessionTensors): HostTensors {
  const prefix = outputName('out', '');
  return Object.fromEntries(
    Object.entries(results)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), hostTensor(tensor)]),
  );
}

/**
 * Copies of a step's outputs, which are small. Where onnxruntime made them they would lie among the freed
 * blocks of the step until the garbage collector comes, and the next step's would not fit between them.
 */
function takenOutputs(results: SessionTensors): HostTensors {
  const outputs = Object.entries(outputsOf(results)).map(
    ([name, tensor]) => [name, copyOf(tensor)] as const,
  );
  for (const [name, tensor] of Object.entries(results)) {
    if (name.startsWith(outputName('out', ''))) free(tensor);
  }
  return Object.fromEntries(outputs);
}
