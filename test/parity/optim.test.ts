import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HostTensors, NamedTensors } from '../../src-main/graph/types.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { initOptimizer, optimizerScalars, optimizerUpdate } from '../../src-main/nn/optimizers.ts';
import type { OptimizerKind } from '../../src-main/nn/optimizers.ts';
import { differences, goldenNote, hasGoldens, readGolden } from './golden.ts';

const tolerance = 1e-6;

describe.skipIf(!hasGoldens)(`optimizers against the reference${goldenNote}`, () => {
  const golden = hasGoldens ? readGolden('optim.safetensors') : {};
  beforeAll(() => tf.setBackend('cpu'));

  it.each([
    ['lars', 0.01],
    ['sgd', 0.01],
    ['adamw', 0.05],
  ] satisfies [OptimizerKind, number][])('%s takes four equal steps', (kind, weightDecay) => {
    let params = tensors(group(`${kind}.p0.`));
    let buffers = tensors(initOptimizer(kind, group(`${kind}.p0.`)));
    for (let step = 0; step < 4; step++) {
      const learningRate = defined(golden[`${kind}.lr${step + 1}`], 'learning rate').data[0] ?? NaN;
      const scalars = tf.tensor1d(optimizerScalars(learningRate, step));
      const grads = tensors(group(`${kind}.g${step + 1}.`));
      const next = optimizerUpdate(kind, params, grads, buffers, { scalars, weightDecay });
      params = next.params;
      buffers = next.buffers;
      const expected = group(`${kind}.p${step + 1}.`);
      expect(Object.keys(params)).toEqual(Object.keys(expected));
      for (const [name, tensor] of Object.entries(params)) {
        expect(tensor.shape).toEqual(expected[name]?.shape);
        const { max } = differences(tensor.dataSync(), expected[name]?.data ?? []);
        expect(max, name).toBeLessThan(tolerance);
      }
    }
  });

  function group(prefix: string): HostTensors {
    const entries = Object.entries(golden).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(entries.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  }
});

function tensors(host: HostTensors): NamedTensors {
  return Object.fromEntries(
    Object.entries(host).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
  );
}
