import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as v from 'valibot';
import { compileStep } from '../../src-main/graph/compile.ts';
import type { Device } from '../../src-main/graph/types.ts';
import { WEBGPU, expectClose } from '../unit/graph/check-op.ts';
import { trainingBatch, trainingState, trainingStep } from '../unit/graph/tiny-training.ts';
import { describeOnWebgpu } from './open-device.ts';

const cpu: Device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 };
const tolerance = 1e-3;
/** Shaders are compiled by a driver in software. */
const slowMs = 300_000;
const options = { state: trainingState(), batch: trainingBatch.specs, label: 'tiny' };

const describe = await describeOnWebgpu();

describe('a training step', () => {
  it(
    'trains a small network like the CPU, step for step',
    async () => {
      const onGpu = await compileStep(trainingStep, { ...options, device: WEBGPU });
      const onCpu = await compileStep(trainingStep, { ...options, device: cpu });
      for (let i = 0; i < 3; i++) {
        const data = trainingBatch.data(i);
        const [own, other] = [await onGpu.run(data), await onCpu.run(data)];
        for (const [name, values] of Object.entries(other)) {
          expectClose(name, own[name], values, tolerance);
        }
      }
      const state = await onGpu.readState();
      for (const [name, values] of Object.entries(await onCpu.readState())) {
        expectClose(name, state[name], values, tolerance);
      }
      await onGpu.dispose();
      await onCpu.dispose();
    },
    slowMs,
  );

  it('leaves nothing to the CPU', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'decon-profile-'));
    const step = await compileStep(trainingStep, {
      ...options,
      device: WEBGPU,
      profilePrefix: join(folder, 'step'),
    });
    await step.run(trainingBatch.data(0));
    await step.dispose();
    expect(operatorsOn('WebGpuExecutionProvider', folder)).toContain('Conv');
    expect(operatorsOn('CPUExecutionProvider', folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

const eventsSchema = v.array(
  v.looseObject({
    name: v.string(),
    args: v.optional(
      v.looseObject({ provider: v.optional(v.string()), op_name: v.optional(v.string()) }),
    ),
  }),
);

function operatorsOn(provider: string, folder: string): string[] {
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const events = files.flatMap((text) => v.parse(eventsSchema, JSON.parse(text)));
  const names = events
    .filter(({ args }) => args?.provider === provider)
    .map(({ args }) => args?.op_name ?? '');
  return [...new Set(names)].sort();
}
