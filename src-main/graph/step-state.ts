import { defined } from '../lib/errors.ts';
import { checkState, copyOf } from './host-state.ts';
import { GraphBuilder } from './ir.ts';
import { writeOnnx } from './onnx-writer.ts';
import {
  hostTensor,
  openSession,
  sessionTensor,
  type Session,
  type SessionTensors,
} from './session.ts';
import { specsOf } from './trace.ts';
import type { Device, HostTensors, TensorSpec } from './types.ts';

/** Where the state of a training step lies between two runs, by name. */
export interface StepState {
  /** The tensors to feed. */
  readonly tensors: SessionTensors;
  /** Takes over what a run returned; the tensors it replaces are gone. */
  take(next: SessionTensors): void;
  /** A copy in JavaScript memory. */
  read(): Promise<HostTensors>;
  /** @throws AppError `graph.state-mismatch` when names, shapes or types differ */
  write(state: HostTensors): Promise<void>;
  dispose(): Promise<void>;
}

/** True where a run can leave its outputs on the device and take them from there. */
export function keepsOutputs({ executor, provider }: Device): boolean {
  return executor === 'onnxruntime' && provider === 'webgpu';
}

/**
 * Opens the state where the device's runs can reach it best. With `ownsState` its memory is freed when
 * a run replaces it, otherwise it stays the caller's.
 */
export function openState(
  state: HostTensors,
  device: Device,
  ownsState = false,
): Promise<StepState> {
  return keepsOutputs(device) ? DeviceState.open(state, device) : HostState.open(state, ownsState);
}

/** In JavaScript memory. */
class HostState implements StepState {
  tensors: SessionTensors;
  /** Names of tensors that are the caller's: never written, and his to let go. */
  readonly #borrowed: Set<string>;

  static open(state: HostTensors, ownsState: boolean): Promise<StepState> {
    return Promise.resolve(new HostState(state, ownsState));
  }

  private constructor(state: HostTensors, ownsState: boolean) {
    this.tensors = mapTensors(state, (tensor) => sessionTensor(tensor, tensor.data));
    const buffers = Object.values(state).map(({ data }) => data.buffer);
    const isShared = (buffer: ArrayBufferLike): boolean =>
      buffers.indexOf(buffer) !== buffers.lastIndexOf(buffer);
    // Tensors of one buffer, such as a file's, are left to the garbage collector.
    this.#borrowed = new Set(
      Object.keys(state).filter((name) => {
        const buffer = state[name]?.data.buffer;
        return !ownsState || buffer === undefined || isShared(buffer);
      }),
    );
  }

  /**
   * Copies where it can, so that the state stays where it lies. Handed on from step to step it would
   * be scattered over the heap, and the room between its tensors lost for a step's own values.
   */
  take(next: SessionTensors): void {
    const replaced: Record<string, SessionTensors[string]> = {};
    for (const [name, tensor] of Object.entries(next)) {
      if (this.#borrowed.delete(name)) replaced[name] = tensor;
      else moveInto(defined(this.tensors[name], name), tensor);
    }
    this.tensors = { ...this.tensors, ...replaced };
  }

  read(): Promise<HostTensors> {
    return Promise.resolve(mapTensors(this.tensors, (tensor) => copyOf(hostTensor(tensor))));
  }

  async write(state: HostTensors): Promise<void> {
    checkState(state, await this.read());
    this.take(hostTensors(state));
  }

  dispose(): Promise<void> {
    for (const [name, tensor] of Object.entries(this.tensors)) {
      if (!this.#borrowed.has(name)) free(tensor);
    }
    this.tensors = {};
    return Promise.resolve();
  }
}

/** Copies the numbers of one tensor over those of another and gives its memory back. */
function moveInto(target: SessionTensors[string], source: SessionTensors[string]): void {
  hostTensor(target).data.set(hostTensor(source).data);
  free(source);
}

/**
 * Gives the memory of a tensor back at once. The garbage collector would do it some steps later, with
 * hundreds of megabytes of old states waiting until then.
 */
export function free(tensor: SessionTensors[string] | undefined): void {
  const data = tensor?.data;
  if (ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer) data.buffer.transfer(0);
}

/**
 * On the device. Numbers go there and come back through two sessions that only copy: onnxruntime
 * 1.30 for Node cannot read a tensor on the device by itself.
 */
class DeviceState implements StepState {
  tensors: SessionTensors = {};
  readonly #specs: Readonly<Record<string, TensorSpec>>;
  readonly #upload: Session;
  readonly #download: Session;

  static async open(state: HostTensors, device: Device): Promise<StepState> {
    const model = writeOnnx(copyGraph(state), 'copy state');
    const upload = await openSession(model, device, { outputsOnDevice: Object.keys(state) });
    const opened = new DeviceState(state, upload, await openSession(model, device));
    await opened.write(state);
    return opened;
  }

  private constructor(state: HostTensors, upload: Session, download: Session) {
    this.#specs = specsOf(state);
    this.#upload = upload;
    this.#download = download;
  }

  take(next: SessionTensors): void {
    for (const name of Object.keys(next)) this.tensors[name]?.dispose();
    this.tensors = { ...this.tensors, ...next };
  }

  async read(): Promise<HostTensors> {
    const results = await this.#download.run(inputsOfCopy(this.tensors));
    return mapTensors(results, hostTensor);
  }

  async write(state: HostTensors): Promise<void> {
    checkState(state, this.#specs);
    this.take(await this.#upload.run(inputsOfCopy(hostTensors(state))));
  }

  async dispose(): Promise<void> {
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
    this.tensors = {};
    await this.#upload.release();
    await this.#download.release();
  }
}

/** Every tensor goes from `from/NAME` to `NAME`, untouched. */
function copyGraph(specs: Readonly<Record<string, TensorSpec>>) {
  const graph = new GraphBuilder('webgpu');
  return graph.finish(
    Object.entries(specs).map(([name, { dtype, shape }]) => ({
      name,
      value: graph.input(`from/${name}`, dtype, shape),
    })),
  );
}

function inputsOfCopy(tensors: SessionTensors): SessionTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [`from/${name}`, tensor]),
  );
}

function hostTensors(state: HostTensors): SessionTensors {
  return mapTensors(state, (tensor) => sessionTensor(tensor, copyOf(tensor).data));
}

function mapTensors<A, B>(tensors: Readonly<Record<string, A>>, map: (tensor: A) => B) {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, map(value)]));
}
