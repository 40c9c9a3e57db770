import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { compileStep, type CompiledStep, type Precision } from '../../../src-main/graph/compile.ts';
import { requireHalf } from '../../../src-main/graph/half-device.ts';
import type { HostTensor, HostTensors } from '../../../src-main/graph/types.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { BatchMaker } from '../../../src-main/pretrain/batches.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import {
  buildPretrainStep,
  initialState,
  pretrainBatchSpecs,
} from '../../../src-main/pretrain/step.ts';
import { isStudentParameter } from '../../../src-main/pretrain/state.ts';
import { runPretraining } from '../../../src-main/pretrain/trainer.ts';
import { control, cpu, noiseTiles, tinyOptions, tinyProject } from './tiny-run.ts';

const steps = 20;
/** So small that nothing overflows in these few steps. */
const safe = { 'amp.scale': 1024, 'amp.goodSteps': 0 };

describe('DeCon-ML in half precision', () => {
  let half: Opened;
  beforeAll(async () => {
    half = await opened('half');
  });
  afterAll(() => half.step.dispose());

  test(`follows single precision for ${steps} steps`, async () => {
    const single = await opened('single');
    await setState(half.step, { ...half.start, ...numbers(safe) });
    const differences: number[] = []; // of losses of 3 to 6
    for (let i = 0; i < steps; i++) {
      const [expected, actual] = [await single.loss(i), await half.loss(i)];
      expect(actual).not.toBe(expected);
      differences.push(Math.abs(actual - expected));
    }
    // Where two prototypes tie at the only pixel of a slot, rounding decides whether the slot counts.
    expect(differences.filter((difference) => difference > 0.03).length).toBeLessThanOrEqual(1);
    expect(Math.max(...differences)).toBeLessThan(0.06);
    const state = await half.step.readState();
    expect(valuesOf(state, 'amp.scale')).toEqual([1024]);
    expect(valuesOf(state, 'amp.goodSteps')).toEqual([steps]);
    expect(Object.keys(single.start)).toEqual(
      Object.keys(state).filter((name) => !name.startsWith('amp.')),
    );
    await single.step.dispose();
  });

  test('halves the scale where gradients overflow, and keeps weights and optimizer', async () => {
    await setState(half.step, { ...half.start, ...numbers(safe) });
    await half.loss(0);
    const large = numbers({ 'amp.scale': 1e30 });
    const before = await setState(half.step, { ...(await half.step.readState()), ...large });
    expect(await half.loss(1)).toBeGreaterThan(0); // the loss itself is finite
    const after = await half.step.readState();
    expect(valuesOf(after, 'amp.scale')).toEqual([Math.fround(5e29)]);
    expect(valuesOf(after, 'amp.goodSteps')).toEqual([0]);
    const changed = Object.keys(after).filter((name) => !sameData(before, after, name));
    const ofUpdate = changed.filter(
      (name) => isStudentParameter(name) || name.startsWith('optimizer.'),
    );
    expect(ofUpdate).toEqual([]);
    expect(changed).toContain('encoder_k.conv1.weight'); // the teacher follows all the same
    const broken = Object.entries(after).filter(([, { data }]) => !data.every(Number.isFinite));
    expect(broken.map(([name]) => name)).toEqual([]);
  });

  test('brings a scale that is too large down until it can train', async () => {
    expect(valuesOf(half.start, 'amp.scale')).toEqual([65536]);
    await setState(half.step, half.start);
    for (let i = 0; i < steps; i++) await half.loss(i);
    const after = await half.step.readState();
    const [scale = NaN] = valuesOf(after, 'amp.scale');
    expect(scale).toBeLessThan(65536);
    expect(scale).toBeGreaterThan(1);
    expect(valuesOf(after, 'amp.goodSteps')[0]).toBeGreaterThan(0);
    expect(sameData(half.start, after, 'encoder_q.conv1.weight')).toBe(false);
  });

  test('doubles the scale after 2000 good steps', async () => {
    const close = numbers({ 'amp.scale': 512, 'amp.goodSteps': 1998 });
    await setState(half.step, { ...half.start, ...close });
    const seen: number[][] = [];
    for (let i = 0; i < 3; i++) {
      await half.loss(i);
      const state = await half.step.readState();
      seen.push([...valuesOf(state, 'amp.scale'), ...valuesOf(state, 'amp.goodSteps')]);
    }
    expect(seen).toEqual([
      [512, 1999],
      [1024, 0],
      [1024, 1],
    ]);
  });
});

test('the CPU refuses half precision before anything is prepared', async () => {
  const made = tinyProject({ precision: 'half' });
  await expect(runPretraining(made.project, made.runId, cpu, control())).rejects.toMatchObject({
    code: 'device.no-half',
    message:
      '16-bit numbers help only on a graphics card, and this runs on the CPU. Start again with the precision "single", or on another device.',
  });
  made.dispose();
  await expect(requireHalf({ executor: 'tensorflow', provider: 'cuda' })).rejects.toMatchObject({
    code: 'device.no-half',
  });
});

interface Opened {
  readonly start: HostTensors;
  readonly step: CompiledStep;
  /** Trains one step and gives its loss. */
  readonly loss: (index: number) => Promise<number>;
}

async function opened(precision: Precision): Promise<Opened> {
  const options = v.parse(PretrainOptionsSchema, { ...tinyOptions, steps, precision });
  const config = resolvePretrainConfig(options, steps);
  const maker = new BatchMaker(config, noiseTiles());
  const start = initialState(config);
  const step = await compileStep(buildPretrainStep(config), {
    state: start,
    batch: pretrainBatchSpecs(config),
    device: cpu,
    label: precision,
    precision,
  });
  const loss = async (index: number): Promise<number> => {
    const outputs = await step.run(maker.make({ step: index, rollbacks: 0, rateFactor: 1 }));
    return outputs['loss.total']?.data[0] ?? NaN;
  };
  return { start, step, loss };
}

async function setState(step: CompiledStep, state: HostTensors): Promise<HostTensors> {
  await step.writeState(state);
  return state;
}

/** Numbers as tensors of a state. */
function numbers(values: Readonly<Record<string, number>>): HostTensors {
  const tensors = Object.entries(values).map(([name, value]): [string, HostTensor] => [
    name,
    { shape: [1], dtype: 'float32', data: Float32Array.of(value) },
  ]);
  return Object.fromEntries(tensors);
}

function valuesOf(state: HostTensors, name: string): number[] {
  return Array.from(defined(state[name], name).data);
}

function sameData(before: HostTensors, after: HostTensors, name: string): boolean {
  return `${valuesOf(before, name)}` === `${valuesOf(after, name)}`;
}
