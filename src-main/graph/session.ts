import { InferenceSession, Tensor, listSupportedBackends } from 'onnxruntime-node';
import { AppError, messageOf } from '../lib/errors.ts';
import { hasKeptHeap } from '../lib/kept-heap.ts';
import { sizeOf } from './shapes.ts';
import type { Device, HostData, HostTensor, TensorSpec } from './types.ts';

export type Session = InferenceSession;
export type SessionTensor = Tensor;
export type SessionTensors = Readonly<Record<string, SessionTensor>>;

export interface SessionOptions {
  /** Writes an onnxruntime profile to a file that begins so. */
  readonly profilePrefix?: string;
  /** Names of outputs that stay in the memory of the device. */
  readonly outputsOnDevice?: readonly string[];
  /** Refuses a model of which the device would leave a part to the CPU. */
  readonly isWholeOnDevice?: boolean;
  /** Writes the optimized model to this file, in onnxruntime's own format. */
  readonly saveTo?: string;
  /** Leaves constants as they are, as `saveTo` does: with it and without, the bits are the same. */
  readonly isUnpacked?: boolean;
  /** The model is one that `saveTo` wrote; it is not optimized again. */
  readonly isOptimized?: boolean;
}

/**
 * Compiles an ONNX model for a device.
 * @throws AppError `device.unavailable`, when the provider does not start or refuses the model
 */
export async function openSession(
  model: Uint8Array,
  device: Device,
  options: SessionOptions = {},
): Promise<Session> {
  // onnxruntime drops an unknown provider without a word and would quietly compute on the CPU.
  if (!listSupportedBackends().some(({ name }) => name === device.provider)) {
    throw new AppError(
      'device.unavailable',
      `onnxruntime has no ${device.provider} provider on this system.`,
      { details: { provider: device.provider } },
    );
  }
  try {
    return await InferenceSession.create(model, sessionSettings(device, options));
  } catch (cause) {
    throw new AppError(
      'device.unavailable',
      `The ${device.provider} provider of onnxruntime did not take the network: ${messageOf(cause)}`,
      { cause, details: { provider: device.provider } },
    );
  }
}

/** What onnxruntime is told about a session. */
export function sessionSettings(
  device: Device,
  options: SessionOptions,
): InferenceSession.SessionOptions {
  const { isWholeOnDevice = false, isOptimized = false, isUnpacked = false, saveTo } = options;
  return {
    executionProviders:
      device.provider === 'cpu'
        ? ['cpu']
        : [{ name: device.provider }, ...(isWholeOnDevice ? [] : ['cpu' as const])],
    graphOptimizationLevel: isOptimized ? 'disabled' : 'all',
    ...(device.threads === undefined ? {} : { intraOpNumThreads: device.threads }),
    interOpNumThreads: 1,
    extra: {
      // Threads that wait by spinning make a step several times slower as soon as anything else runs.
      'session.intra_op.allow_spinning': '0',
      'optimization.disable_specified_optimizers': idleOptimizers.join(';'),
      ...(isUnpacked ? { 'session.disable_prepacking': '1' } : {}),
      ...(isWholeOnDevice ? { 'session.disable_cpu_ep_fallback': '1' } : {}),
      ...(isOptimized ? { 'session.load_model_format': 'ORT' } : {}),
      ...(saveTo === undefined ? {} : { 'session.save_model_format': 'ORT' }),
    },
    ...(saveTo === undefined ? {} : { optimizedModelFilePath: saveTo }),
    executionMode: 'sequential',
    // A planned block would come on top of what the first run took: a third more memory, no faster.
    enableMemPattern: false,
    // Where the process keeps its heap, an arena of its own would only waste memory.
    enableCpuMemArena: !hasKeptHeap(),
    // Providers report nodes that stay on the CPU as warnings; the device probe tells of them.
    logSeverityLevel: 3,
    ...(options.outputsOnDevice === undefined
      ? {}
      : { preferredOutputLocation: locations(options.outputsOnDevice) }),
    ...(options.profilePrefix === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
  };
}

/**
 * What looks for quantized numbers, attention and embeddings, which our networks have not; and for equal
 * nodes, which are made once already or made twice on purpose. A quarter of the time that optimizing takes.
 * ReshapeFusion fails at reshapes whose shape is open.
 */
const idleOptimizers = [
  'AttentionFusion',
  'BiasDropoutFusion',
  'BiasSkipLayerNormFusion',
  'CommonSubexpressionElimination',
  'DoubleQDQPairsRemover',
  'DynamicQuantizeMatMulFusion',
  'EmbedLayerNormFusion',
  'EnsureUniqueDQForNodeUnit',
  'FastGeluFusion',
  'GroupQueryAttentionFusion',
  'GroupQueryAttentionPreNormFusion',
  'MatMulIntegerToFloatFusion',
  'MatMulNBitsFusion',
  'NhwcTransformer',
  'QDQFinalCleanupTransformer',
  'QDQPropagationTransformer',
  'QDQS8ToU8Transformer',
  'QDQSelectorActionTransformer',
  'QuickGeluFusion',
  'ReshapeFusion',
  'SimplifiedLayerNormFusion',
  'SkipLayerNormFusion',
  'WeightBiasQuantization',
  'WhereDummyDq',
];

function locations(names: readonly string[]): Record<string, 'gpu-buffer'> {
  return Object.fromEntries(names.map((name) => [name, 'gpu-buffer']));
}

/** Wraps numbers for a run, without copying. */
export function sessionTensor(spec: TensorSpec, data: HostData): SessionTensor {
  const expected = sizeOf(spec.shape);
  if (data.length !== expected) {
    throw new Error(`Expected ${expected} numbers for shape [${spec.shape}], got ${data.length}`);
  }
  return new Tensor(spec.dtype, data, spec.shape);
}

/** The numbers of a tensor, without copying. */
export function hostTensor(tensor: SessionTensor): HostTensor {
  const { data, dims } = tensor;
  if (data instanceof Float32Array) return { dtype: 'float32', shape: dims, data };
  if (data instanceof Int32Array) return { dtype: 'int32', shape: dims, data };
  if (data instanceof Uint8Array) return { dtype: 'uint8', shape: dims, data };
  throw new Error(`A run returned ${tensor.type}`);
}
