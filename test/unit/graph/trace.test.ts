import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compileFunction } from '../../../src-main/graph/compile.ts';
import { checkShapes, printGraph } from '../../../src-main/graph/ir.ts';
import { traceFunction, traceStep } from '../../../src-main/graph/trace.ts';
import { CPU, type NamedTensors, type TensorSpec } from '../../../src-main/graph/types.ts';

const vector: TensorSpec = { shape: [3], dtype: 'float32' };
const image: TensorSpec = { shape: [2, 4, 5, 3], dtype: 'float32' };
const filter: TensorSpec = { shape: [6, 3, 3, 3], dtype: 'float32' };

function named(tensors: NamedTensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`Missing ${name}`);
  return tensor;
}

function operators(trace: ReturnType<typeof traceFunction>): string[] {
  return trace.nodes.map(({ operator }) => operator);
}

describe('traceFunction', () => {
  it('names a missing kernel', () => {
    const trace = () => traceFunction((_, { x }) => ({ y: tf.acosh(x ?? 0) }), {}, { x: vector });
    expect(trace).toThrow(
      expect.objectContaining({
        code: 'graph.missing-kernel',
        message: 'The operation Acosh cannot be compiled.',
        details: { kernel: 'Acosh' },
      }),
    );
  });

  it('says that numbers are not known while compiling', () => {
    const trace = () =>
      traceFunction(
        (_, batch) => ({ y: tf.scalar(named(batch, 'x').dataSync()[0] ?? 0) }),
        {},
        {
          x: vector,
        },
      );
    expect(trace).toThrow(expect.objectContaining({ code: 'graph.value-needed' }));
  });

  it('gives the backend back that was active before, also after a failure', () => {
    const before = tf.getBackend();
    expect(() =>
      traceFunction(
        () => {
          throw new Error('inside');
        },
        {},
        {},
      ),
    ).toThrow('inside');
    expect(tf.getBackend()).toBe(before);
  });

  it('leaves maps of a single image where they lie when tfjs reshapes them to their own shape', () => {
    const one: TensorSpec = { shape: [1, 4, 5, 3], dtype: 'float32' };
    const graph = traceFunction(
      (_, batch) => {
        const weights = tf.transpose(named(batch, 'filter'), [2, 3, 1, 0]);
        const maps = tf.conv2d(rank4(named(batch, 'image')), rank4(weights), 1, 1);
        return { y: tf.transpose(tf.relu(tf.reshape(maps, [1, 4, 5, 6])), [0, 3, 1, 2]) };
      },
      {},
      { image: one, filter },
    );
    expect(operators(graph)).toEqual(['Transpose', 'Conv', 'Relu']);
  });

  it('turns pictures to planes before they meet numbers per channel', () => {
    const graph = traceFunction(
      (_, batch) => ({ y: tf.sub(named(batch, 'image'), tf.tensor1d([1, 2, 3])) }),
      {},
      { image: { shape: [2, 8, 8, 3], dtype: 'float32' } },
    );
    const [turned, difference] = graph.nodes;
    expect(operators(graph)).toEqual(['Transpose', 'Sub', 'Transpose']);
    expect(turned?.outputs[0]?.shape).toEqual([2, 3, 8, 8]);
    expect(difference?.outputs[0]?.shape).toEqual([2, 3, 8, 8]);
  });

  it('puts the few channels of a large picture last by a product', async () => {
    const size = [1, 3, 160, 120] as const;
    const numbers = Float32Array.from({ length: 3 * 160 * 120 }, (_, i) => Math.sin(i));
    const compiled = await compileFunction(
      (_, batch) => ({ y: tf.transpose(named(batch, 'planes'), [0, 2, 3, 1]) }),
      {
        params: {},
        inputs: { planes: { shape: size, dtype: 'float32' } },
        device: CPU,
        label: 'planes',
      },
    );
    const { y } = await compiled.run({}, { planes: numbers });
    await compiled.dispose();
    expect(y?.shape).toEqual([1, 160, 120, 3]);
    const expected = numbers.map((_, i) => numbers[(i % 3) * 160 * 120 + Math.floor(i / 3)] ?? 0);
    expect(y?.data).toEqual(expected);
  });

  it('needs no transposes between convolutions of an NHWC network with OIHW filters', () => {
    const graph = traceFunction(
      ({ w1, w2 }, batch) => {
        const convolve = (x: tf.Tensor, w: tf.Tensor | undefined) =>
          tf.relu(
            tf.conv2d(rank4(x), rank4(tf.transpose(w ?? tf.scalar(0), [2, 3, 1, 0])), 1, 'same'),
          );
        return { y: tf.mean(convolve(convolve(named(batch, 'x'), w1), w2), [1, 2]) };
      },
      { w1: filter, w2: { shape: [4, 6, 3, 3], dtype: 'float32' } },
      { x: image },
    );
    checkShapes(graph);
    expect(operators(graph)).toEqual(['Transpose', 'Conv', 'Relu', 'Conv', 'Relu', 'ReduceMean']);
  });

  it('computes common parts once and nothing that is thrown away', () => {
    const graph = traceFunction(
      (_, batch) => {
        const x = named(batch, 'x');
        tf.exp(tf.mul(x, 7));
        return { a: tf.sqrt(tf.exp(x)), b: tf.log(tf.exp(x)) };
      },
      {},
      { x: vector },
    );
    expect(operators(graph)).toEqual(['Exp', 'Sqrt', 'Log']);
  });

  it('keeps bytes small until they are used and returns booleans as integers', () => {
    const graph = traceFunction(
      (_, batch) => ({ y: tf.greater(named(batch, 'x'), 127) }),
      {},
      { x: { shape: [4], dtype: 'uint8' } },
    );
    expect(graph.inputs[0]?.value.type).toBe('uint8');
    expect(graph.outputs[0]?.value.type).toBe('int32');
  });

  it('prints names, shapes and settings', () => {
    const graph = traceFunction(
      (_, batch) => ({ y: tf.softmax(named(batch, 'x')) }),
      {},
      {
        x: vector,
      },
    );
    expect(printGraph(graph)).toBe(
      [
        'input batch/x = v0:float32[3]',
        'v1:float32[3] = Softmax(v0:float32[3]) {"axis":0}',
        'output out/y = v1:float32[3]',
      ].join('\n'),
    );
  });
});

describe('traceStep', () => {
  it('returns only state that changed', () => {
    const graph = traceStep(
      (state) => ({ state: { ...state, a: tf.add(named(state, 'a'), 1) }, outputs: {} }),
      { a: vector, b: vector },
      {},
    );
    expect(graph.outputs.map(({ name }) => name)).toEqual(['next/a']);
    expect(graph.inputs.map(({ name }) => name)).toEqual(['state/a', 'state/b']);
  });

  it('refuses state of another name, shape or type', () => {
    const after = (state: NamedTensors) => () =>
      traceStep(() => ({ state, outputs: {} }), { a: vector }, {});
    expect(after({})).toThrow('The step turned state a from float32[3] into nothing.');
    const bigger = () =>
      traceStep(
        ({ a }) => ({ state: { a: tf.expandDims(a ?? tf.scalar(0)) }, outputs: {} }),
        { a: vector },
        {},
      );
    expect(bigger).toThrow('The step turned state a from float32[3] into float32[1,3].');
    const integer = () =>
      traceStep(
        ({ a }) => ({ state: { a: tf.cast(a ?? tf.scalar(0), 'int32') }, outputs: {} }),
        { a: vector },
        {},
      );
    expect(integer).toThrow('into int32[3]');
  });
});

function rank4(tensor: tf.Tensor): tf.Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape;
  return tf.reshape(tensor, [a, b, c, d]);
}
