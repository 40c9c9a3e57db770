import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { compileFunction, compileStep } from '../../../src-main/graph/compile.ts';
import { exportOnnx } from '../../../src-main/graph/export.ts';
import { readOnnxMetadata } from '../../../src-main/graph/onnx-metadata.ts';
import type {
  Device,
  HostTensor,
  HostTensors,
  NamedTensors,
  StepFunction,
  TensorSpec,
} from '../../../src-main/graph/types.ts';
import { trainingBatch, trainingState, trainingStep } from './tiny-training.ts';
import { expectClose } from './check-op.ts';

const compiled: Device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 };
const reference: Device = { executor: 'reference', provider: 'cpu' };
const vector: TensorSpec = { shape: [2], dtype: 'float32' };

function floats(...values: number[]): HostTensor {
  return { shape: [values.length], dtype: 'float32', data: Float32Array.from(values) };
}

function named(tensors: NamedTensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`Missing ${name}`);
  return tensor;
}

function numbers(tensors: HostTensors, name: string): number[] {
  return Array.from(tensors[name]?.data ?? []);
}

describe.each([
  ['compiled', compiled],
  ['eager', reference],
])('compileStep, %s', (_, device) => {
  const options = {
    state: { a: floats(1, 2), b: floats(3, 4), kept: floats(9) },
    device,
    label: '',
  };

  it('keeps its state and returns outputs only', async () => {
    const step: StepFunction = (state, batch) => ({
      state: { ...state, a: tf.add(named(state, 'a'), named(batch, 'x')) },
      outputs: { total: tf.sum(named(state, 'a')), kept: named(state, 'kept') },
    });
    const training = await compileStep(step, { ...options, batch: { x: vector } });
    const x = Float32Array.of(10, 20);
    const first = await training.run({ x });
    expect(Object.keys(first).sort()).toEqual(['kept', 'total']);
    expect(numbers(first, 'total')).toEqual([3]);
    expect(numbers(await training.run({ x }), 'total')).toEqual([33]);
    expect(numbers(await training.readState(), 'a')).toEqual([21, 42]);
    expect(numbers(options.state, 'a')).toEqual([1, 2]);
    await training.dispose();
  });

  it('lets state swap, repeat and become a constant', async () => {
    const step: StepFunction = (state) => ({
      state: { a: named(state, 'b'), b: named(state, 'a'), kept: tf.fill([1], 5) },
      outputs: { same: named(state, 'a'), twice: named(state, 'a') },
    });
    const training = await compileStep(step, { ...options, batch: {} });
    await training.run({});
    const outputs = await training.run({});
    expect(numbers(outputs, 'same')).toEqual([3, 4]);
    expect(numbers(outputs, 'twice')).toEqual([3, 4]);
    const state = await training.readState();
    expect(numbers(state, 'a')).toEqual([1, 2]);
    expect(numbers(state, 'b')).toEqual([3, 4]);
    expect(numbers(state, 'kept')).toEqual([5]);
    await training.dispose();
  });

  it('continues from written state and refuses one that does not fit', async () => {
    const step: StepFunction = (state) => ({
      state: { ...state, a: tf.mul(named(state, 'a'), 2) },
      outputs: {},
    });
    const training = await compileStep(step, { ...options, batch: {} });
    const snapshot = await training.readState();
    await training.run({});
    await training.run({});
    await training.writeState(snapshot);
    await training.run({});
    expect(numbers(await training.readState(), 'a')).toEqual([2, 4]);
    expect(numbers(snapshot, 'a')).toEqual([1, 2]);
    const write = async () => training.writeState({ ...snapshot, a: floats(1, 2, 3) });
    await expect(write()).rejects.toThrow('The state a does not fit the network.');
    await training.dispose();
  });

  it('gives bytes as floats and takes integers', async () => {
    const training = await compileStep(
      (state, batch) => ({
        state,
        outputs: {
          bytes: tf.div(named(batch, 'bytes'), 255),
          picked: tf.gather(named(state, 'a'), tf.cast(named(batch, 'index'), 'int32')),
          index: named(batch, 'index'),
          flags: tf.greater(named(batch, 'bytes'), 100),
        },
      }),
      {
        ...options,
        batch: { bytes: { shape: [3], dtype: 'uint8' }, index: { shape: [2], dtype: 'int32' } },
      },
    );
    const batch = { bytes: Uint8Array.of(0, 51, 255), index: Int32Array.of(1, 0) };
    const outputs = await training.run(batch);
    expect(numbers(outputs, 'bytes').map((value) => value.toFixed(4))).toEqual([
      '0.0000',
      '0.2000',
      '1.0000',
    ]);
    expect(numbers(outputs, 'picked')).toEqual([2, 1]);
    expect(outputs['index']).toEqual({ shape: [2], dtype: 'int32', data: batch.index });
    expect(outputs['flags']?.data).toEqual(Int32Array.of(0, 0, 1));
    await training.dispose();
  });
});

it('trains a small network like the plain backend, step for step', async () => {
  const options = { state: trainingState(), batch: trainingBatch.specs, label: 'tiny' };
  const [actual, expected] = [
    await compileStep(trainingStep, { ...options, device: compiled }),
    await compileStep(trainingStep, { ...options, device: reference }),
  ];
  for (let i = 0; i < 3; i++) {
    const data = trainingBatch.data(i);
    const [own, other] = [await actual.run(data), await expected.run(data)];
    for (const [name, values] of Object.entries(other)) expectClose(name, own[name], values, 1e-5);
  }
  const state = await actual.readState();
  for (const [name, values] of Object.entries(await expected.readState())) {
    expectClose(name, state[name], values, 1e-5);
  }
  await actual.dispose();
});

describe('compileFunction', () => {
  it('takes other parameters on every run, also ones that it does not use', async () => {
    const double = await compileFunction(
      ({ w }, batch) => ({ y: tf.mul(w ?? 0, named(batch, 'x')) }),
      { params: { w: vector, unused: vector }, inputs: { x: vector }, device: compiled, label: '' },
    );
    const x = Float32Array.of(1, 10);
    const runWith = async (...w: number[]) =>
      numbers(await double.run({ w: floats(...w), unused: floats(0, 0) }, { x }), 'y');
    expect(await runWith(2, 3)).toEqual([2, 30]);
    expect(await runWith(4, 5)).toEqual([4, 50]);
    await expect(double.run({ w: floats(1, 2) }, { x })).rejects.toThrow('The state lacks unused');
    await expect(runWith(1, 2, 3)).rejects.toThrow('Expected 2 numbers for shape [2], got 3');
    await double.dispose();
  });

  it('refuses a provider that this system does not have', async () => {
    const provider = process.platform === 'darwin' ? 'dml' : 'coreml';
    const device = { executor: 'onnxruntime', provider } as const;
    const open = compileFunction((_, batch) => ({ y: tf.neg(named(batch, 'x')) }), {
      params: {},
      inputs: { x: vector },
      device,
      label: '',
    });
    await expect(open).rejects.toMatchObject({ code: 'device.unavailable' });
  });
});

describe('exportOnnx', () => {
  it('writes a file that onnxruntime runs alone, with metadata', async () => {
    const bytes = exportOnnx(
      ({ w }, batch) => {
        const product = tf.matMul(
          rank2(named(batch, 'rows')),
          rank2(w ?? tf.scalar(0)),
          false,
          true,
        );
        return { product, same: named(batch, 'rows'), constant: tf.fill([2], 3) };
      },
      {
        params: { w: { shape: [2, 3], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6) } },
        inputs: { rows: { shape: [1, 3], dtype: 'float32' } },
        metadata: { title: 'Test', 'decon.classes': '["a","b\\u00e9"]' },
        label: 'exported',
      },
    );
    expect(readOnnxMetadata(bytes)).toEqual({ title: 'Test', 'decon.classes': '["a","b\\u00e9"]' });
    const session = await InferenceSession.create(bytes);
    expect(session.inputNames).toEqual(['rows']);
    const result = await session.run({ rows: new Tensor('float32', [1, 0, -1], [1, 3]) });
    expect(result['product']?.data).toEqual(Float32Array.of(-2, -2));
    expect(result['same']?.data).toEqual(Float32Array.of(1, 0, -1));
    expect(result['constant']?.data).toEqual(Float32Array.of(3, 3));
    await session.release();
  });
});

describe('a device that refuses a step', () => {
  // No machine has both; onnxruntime here lacks at least one of them.
  const missing: Device = {
    executor: 'onnxruntime',
    provider: process.platform === 'win32' ? 'coreml' : 'dml',
  };
  const step: StepFunction = (state, batch) => ({
    state: { x: tf.add(named(state, 'x'), named(batch, 'y')) },
    outputs: {},
  });
  const options = {
    state: { x: floats(1, 2) },
    batch: { y: vector },
    device: missing,
    label: 'refused',
  };

  it('is an error', async () => {
    await expect(compileStep(step, options)).rejects.toMatchObject({ code: 'device.unavailable' });
  });

  it('is replaced by the CPU, and told, where that is wanted', async () => {
    const told: string[] = [];
    const onFallback = (sentence: string): void => void told.push(sentence);
    const onCpu = await compileStep(step, { ...options, onFallback });
    await onCpu.run({ y: Float32Array.of(10, 20) });
    expect(numbers(await onCpu.readState(), 'x')).toEqual([11, 22]);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('The CPU is used instead');
    await onCpu.dispose();
  });

  it('is replaced for a function, too', async () => {
    const double = (_: unknown, { y }: NamedTensors) => ({ twice: tf.mul(y ?? 0, 2) });
    const { batch, device, label } = options;
    const asked = { params: {}, inputs: batch, device, label };
    await expect(compileFunction(double, asked)).rejects.toMatchObject({
      code: 'device.unavailable',
    });
    const told: string[] = [];
    const onCpu = await compileFunction(double, {
      ...asked,
      onFallback: (sentence) => void told.push(sentence),
    });
    expect(numbers(await onCpu.run({}, { y: Float32Array.of(1, 2) }), 'twice')).toEqual([2, 4]);
    expect(told).toHaveLength(1);
    await onCpu.dispose();
  });
});

function rank2(tensor: tf.Tensor): tf.Tensor2D {
  const [rows = 1, columns = 1] = tensor.shape;
  return tf.reshape(tensor, [rows, columns]);
}
