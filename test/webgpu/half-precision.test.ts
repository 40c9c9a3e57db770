import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import * as v from 'valibot';
import { compileFunction, compileStep, type Precision } from '../../src-main/graph/compile.ts';
import type { Device, HostTensor } from '../../src-main/graph/types.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { guardedUpdate, initLossScale } from '../../src-main/nn/loss-scale.ts';
import { BatchMaker } from '../../src-main/pretrain/batches.ts';
import {
  PretrainOptionsSchema,
  resolvePretrainConfig,
  type PretrainConfig,
} from '../../src-main/pretrain/config.ts';
import {
  buildPretrainStep,
  initialState,
  pretrainBatchSpecs,
} from '../../src-main/pretrain/step.ts';
import { WEBGPU } from '../unit/graph/check-op.ts';
import { cpu, noiseTiles, tinyOptions } from '../unit/pretrain/tiny-run.ts';
import { describeInHalf, describeOnWebgpu } from './open-device.ts';

const describe = await describeOnWebgpu();
const describeRuns = await describeInHalf();
const steps = 20;
/** Shaders are compiled for, and run by, a driver in software. */
const slowMs = 300_000;

describe('a training step in half precision', () => {
  it(
    'of DeCon-ML leaves nothing to the CPU',
    async () => {
      const step = await compileStep(...training(WEBGPU, 'half'));
      expect(step.info.nodes).toBeGreaterThan(0);
      await step.dispose();
    },
    slowMs,
  );
});

describe('an update with a scaled loss', () => {
  it.each([
    { title: 'is made', gradient: [1, -2, 3], scale: 65536, weights: [0, 3, 0] },
    { title: 'is left out for an infinity', gradient: [1, Infinity, 3], scale: 32768 },
    { title: 'is left out where there is no number', gradient: [1, NaN, 3], scale: 32768 },
  ])('$title', async ({ gradient, scale, weights = [1, 1, 3] }) => {
    const vector = (values: readonly number[]): HostTensor => ({
      shape: [values.length],
      dtype: 'float32',
      data: Float32Array.from(values),
    });
    const params = { ...initLossScale(), w: vector([1, 1, 3]) };
    const compiled = await compileFunction(
      (state, { g = tf.scalar(NaN) }) => {
        const w = tf.sub(defined(state['w'], 'w'), g);
        return guardedUpdate(state, { w: g }, { w });
      },
      { params, inputs: { g: vector([0, 0, 0]) }, device: WEBGPU, label: 'update' },
    );
    const next = await compiled.run(params, { g: Float32Array.from(gradient) });
    await compiled.dispose();
    expect(next['w']?.data).toEqual(Float32Array.from(weights));
    expect(next['amp.scale']?.data).toEqual(Float32Array.of(scale));
    expect(next['amp.goodSteps']?.data).toEqual(Float32Array.of(scale === 65536 ? 1 : 0));
  });
});

describeRuns('a training in half precision', () => {
  it(
    `follows single precision on the CPU for ${steps} steps`,
    async () => {
      const [actual, expected] = [await losses(WEBGPU, 'half'), await losses(cpu, 'single')];
      actual.forEach((loss, i) => {
        expect(Math.abs(loss - (expected[i] ?? NaN)), `step ${i}`).toBeLessThan(0.1);
      });
    },
    slowMs,
  );
});

async function losses(device: Device, precision: Precision): Promise<number[]> {
  const maker = new BatchMaker(configOf(precision), noiseTiles());
  const step = await compileStep(...training(device, precision));
  const seen: number[] = [];
  for (let i = 0; i < steps; i++) {
    const outputs = await step.run(maker.make({ step: i, rollbacks: 0, rateFactor: 1 }));
    seen.push(outputs['loss.total']?.data[0] ?? NaN);
  }
  await step.dispose();
  return seen;
}

function training(device: Device, precision: Precision): Parameters<typeof compileStep> {
  const config = configOf(precision);
  const start = initialState(config);
  // With the usual scale the first steps would be skipped: gradients of small networks are large.
  const scale = { shape: [1], dtype: 'float32', data: Float32Array.of(1024) } as const;
  return [
    buildPretrainStep(config),
    {
      state: precision === 'half' ? { ...start, 'amp.scale': scale } : start,
      batch: pretrainBatchSpecs(config),
      device,
      label: precision,
      precision,
      isWholeOnDevice: device === WEBGPU,
    },
  ];
}

function configOf(precision: Precision): PretrainConfig {
  const options = v.parse(PretrainOptionsSchema, { ...tinyOptions, steps, precision });
  return resolvePretrainConfig(options, steps);
}
