import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { round } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import * as v from 'valibot';
import { compileStep, type BatchData } from '../../src-main/graph/compile.ts';
import { writeOnnx } from '../../src-main/graph/onnx-writer.ts';
import { openCachedSession } from '../../src-main/graph/session-cache.ts';
import { traceStep, type TensorSpecs } from '../../src-main/graph/trace.ts';
import type { Device, HostTensors, StepFunction } from '../../src-main/graph/types.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { BatchMaker } from '../../src-main/pretrain/batches.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../src-main/pretrain/config.ts';
import {
  buildPretrainStep,
  initialState,
  pretrainBatchSpecs,
} from '../../src-main/pretrain/step.ts';
import { WEBGPU, expectClose } from '../unit/graph/check-op.ts';
import { trainingBatch, trainingState, trainingStep } from '../unit/graph/tiny-training.ts';
import { noiseTiles, tinyOptions } from '../unit/pretrain/tiny-run.ts';
import { describeOnWebgpu } from './open-device.ts';

const cpu: Device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 };
const tolerance = 1e-3;
/** Parameters and momenta are small; rounding grows through a network's gradients. */
const stateTolerance = { relative: 1e-2, unit: 1e-3 };
/** Shaders are compiled for, and run by, a driver in software. */
const slowMs = 300_000;
const steps = 20;

const describe = await describeOnWebgpu();

describe('a training step', () => {
  it(
    'of a small network is that of the CPU',
    async () => {
      const training = { step: trainingStep, state: trainingState(), specs: trainingBatch.specs };
      await expectSameTraining(training, [0, 1, 2].map(trainingBatch.data));
    },
    slowMs,
  );

  it(
    'of DeCon-ML is that of the CPU',
    async () => {
      const { batch, ...training } = deconTraining();
      await expectSameTraining(training, [batch(0)]);
    },
    slowMs,
  );

  it(
    `of DeCon-ML follows the CPU for ${steps} steps, with its state on the device`,
    async () => {
      const { step, state, specs, batch } = deconTraining();
      const compiled = await compileStep(step, {
        state,
        batch: specs,
        device: WEBGPU,
        label: 'step',
        isWholeOnDevice: true,
      });
      const reference = await compileStep(step, {
        state,
        batch: specs,
        device: cpu,
        label: 'step',
      });
      for (let i = 0; i < steps; i++) {
        const data = batch(i);
        const [actual, expected] = [await compiled.run(data), await reference.run(data)];
        for (const [name, values] of Object.entries(expected)) {
          expectClose(`${name} of step ${i}`, actual[name], values, tolerance);
        }
        expect(compiled.traffic).toEqual({
          uploadedBytes: bytesOf(Object.values(data)),
          downloadedBytes: bytesOf(Object.values(actual).map((output) => output.data)),
        });
      }
      await compiled.dispose();
      await reference.dispose();
    },
    slowMs,
  );

  it(
    'of DeCon-ML in its default size leaves nothing to the CPU, fresh and from the cache',
    async () => {
      // Opened and not run: a driver in software would take minutes for a step.
      const folder = mkdtempSync(join(tmpdir(), 'decon-sessions-'));
      const config = resolvePretrainConfig(v.parse(PretrainOptionsSchema, { steps: 1000 }), 1000);
      expect(config).toMatchObject({
        ...{ encoder: 'resnet18', decoder: 'fpn', levels: 'multi', cropPx: 128, batchSize: 16 },
        ...{ hidden: 512, dim: 128, prototypes: 64, optimizer: 'lars' },
      });
      const [step, state, specs] = [
        buildPretrainStep(config),
        initialState(config),
        pretrainBatchSpecs(config),
      ];
      const opened = async (function_: StepFunction) => {
        const graph = traceStep(function_, state, specs, 'webgpu');
        const model = writeOnnx(graph, 'default size');
        const wanted = { isWholeOnDevice: true };
        const { session, isFromCache } = await openCachedSession(model, WEBGPU, wanted, folder);
        await session.release();
        return isFromCache;
      };
      expect([await opened(step), await opened(step)]).toEqual([false, true]);
      // One more node, which that provider does not have, and the device is refused.
      const rounding: StepFunction = (before, batch) => {
        const { outputs, ...next } = step(before, batch);
        return { ...next, outputs: { rounded: round(defined(outputs['loss.total'], 'loss')) } };
      };
      await expect(opened(rounding)).rejects.toMatchObject({ code: 'device.unavailable' });
      rmSync(folder, { recursive: true });
    },
    slowMs,
  );

  it(
    'has the state that was written to it',
    async () => {
      const compiled = await compileStep(trainingStep, {
        state: trainingState(),
        batch: trainingBatch.specs,
        device: WEBGPU,
        label: 'state',
      });
      const start = await compiled.readState();
      expect(start).toEqual(trainingState());
      await compiled.run(trainingBatch.data(0));
      expect(await compiled.readState()).not.toEqual(start);
      await compiled.writeState(start);
      expect(await compiled.readState()).toEqual(start);
      await compiled.dispose();
    },
    slowMs,
  );

  it(
    'leaves nothing to the CPU',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'decon-profile-'));
      const step = await compileStep(trainingStep, {
        state: trainingState(),
        batch: trainingBatch.specs,
        device: WEBGPU,
        label: 'profiled',
        profilePrefix: join(folder, 'step'),
      });
      await step.run(trainingBatch.data(0));
      await step.dispose();
      expect(operatorsOn('WebGpuExecutionProvider', folder)).toContain('Conv');
      expect(operatorsOn('CPUExecutionProvider', folder)).toEqual([]);
      rmSync(folder, { recursive: true });
    },
    slowMs,
  );
});

function deconTraining() {
  const options = v.parse(PretrainOptionsSchema, { ...tinyOptions, steps });
  const config = resolvePretrainConfig(options, steps);
  const maker = new BatchMaker(config, noiseTiles());
  return {
    step: buildPretrainStep(config),
    state: initialState(config),
    specs: pretrainBatchSpecs(config),
    batch: (step: number): BatchData => maker.make({ step, rollbacks: 0, rateFactor: 1 }),
  };
}

function bytesOf(arrays: readonly { readonly byteLength: number }[]): number {
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

interface Training {
  readonly step: StepFunction;
  readonly state: HostTensors;
  readonly specs: TensorSpecs;
}

/** Trains on both devices and compares the outputs of every step and the state at the end. */
async function expectSameTraining(training: Training, batches: readonly BatchData[]) {
  const { step, state, specs } = training;
  const trained = async (device: Device) => {
    const compiled = await compileStep(step, { state, batch: specs, device, label: 'step' });
    const outputs: HostTensors[] = [];
    for (const batch of batches) outputs.push(await compiled.run(batch));
    const next = await compiled.readState();
    await compiled.dispose();
    return { outputs, next };
  };
  const [actual, expected] = [await trained(WEBGPU), await trained(cpu)];
  expected.outputs.forEach((outputs, i) => {
    for (const [name, values] of Object.entries(outputs)) {
      expectClose(name, actual.outputs[i]?.[name], values, tolerance);
    }
  });
  for (const [name, values] of Object.entries(expected.next)) {
    const { relative, unit } = stateTolerance;
    expectClose(name, actual.next[name], values, relative, unit);
  }
}

const eventsSchema = v.array(
  v.looseObject({
    args: v.optional(
      v.looseObject({ provider: v.optional(v.string()), op_name: v.optional(v.string()) }),
    ),
  }),
);

/** The operators that a provider ran, from onnxruntime's profiles in a folder. */
function operatorsOn(provider: string, folder: string): string[] {
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const events = files.flatMap((text) => v.parse(eventsSchema, JSON.parse(text)));
  const names = events
    .filter(({ args }) => args?.provider === provider)
    .map(({ args }) => args?.op_name ?? '');
  return [...new Set(names)].sort();
}
