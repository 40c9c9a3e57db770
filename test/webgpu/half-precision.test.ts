import { expect, it } from 'vitest';
import * as v from 'valibot';
import { compileStep, type Precision } from '../../src-main/graph/compile.ts';
import type { Device } from '../../src-main/graph/types.ts';
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
