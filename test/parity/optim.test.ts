import { describe, expect, it } from 'vitest';
import { compileStep } from '../../src-main/graph/compile.ts';
import type { HostTensors, NamedTensors } from '../../src-main/graph/types.ts';
import { defined } from '../../src-main/lib/errors.ts';
import {
  initOptimizer,
  optimizerScalars,
  optimizerScalarsSpec,
  optimizerUpdate,
} from '../../src-main/nn/optimizers.ts';
import type { OptimizerKind } from '../../src-main/nn/optimizers.ts';
import { cpuDevices, differences, goldenNote, hasGoldens, readGolden } from './golden.ts';

const tolerance = 1e-6;

const kinds = [
  ['lars', 0.01],
  ['sgd', 0.01],
  ['adamw', 0.05],
] satisfies [OptimizerKind, number][];

describe.skipIf(!hasGoldens)(`optimizers against the reference${goldenNote}`, () => {
  const golden = hasGoldens ? readGolden('optim.safetensors') : {};

  describe.each(cpuDevices)('$executor', (device) => {
    it.each(kinds)('%s takes four equal steps', async (kind, weightDecay) => {
      const params = group(`${kind}.p0.`);
      const compiled = await compileStep(
        (state, batch) => {
          const picked = pick(state, params);
          const scalars = defined(batch['scalars'], 'scalars');
          const next = optimizerUpdate(kind, picked, pick(batch, params), state, {
            scalars,
            weightDecay,
          });
          return { state: { ...next.params, ...next.buffers }, outputs: next.params };
        },
        {
          state: { ...params, ...initOptimizer(kind, params) },
          batch: { ...params, scalars: optimizerScalarsSpec },
          device,
          label: kind,
        },
      );
      for (let step = 0; step < 4; step++) {
        const learningRate = defined(golden[`${kind}.lr${step + 1}`], 'rate').data[0] ?? NaN;
        const grads = Object.entries(group(`${kind}.g${step + 1}.`));
        const results = await compiled.run({
          ...Object.fromEntries(grads.map(([name, { data }]) => [name, data])),
          scalars: optimizerScalars(learningRate, step),
        });
        const expected = group(`${kind}.p${step + 1}.`);
        expect(Object.keys(expected)).toHaveLength(7);
        for (const [name, { data }] of Object.entries(expected)) {
          const { max } = differences(defined(results[name], name).data, data);
          expect(max, `${name} after step ${step + 1}`).toBeLessThan(tolerance);
        }
      }
      await compiled.dispose();
    });
  });

  function group(prefix: string): HostTensors {
    const entries = Object.entries(golden).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(entries.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  }
});

function pick(tensors: NamedTensors, names: HostTensors): NamedTensors {
  return Object.fromEntries(Object.keys(names).map((name) => [name, defined(tensors[name], name)]));
}
