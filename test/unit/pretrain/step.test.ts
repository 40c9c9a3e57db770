import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { compileStep } from '../../../src-main/graph/compile.ts';
import type { Device, HostTensors } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { optimizerScalars } from '../../../src-main/nn/optimizers.ts';
import {
  PretrainOptionsSchema,
  resolvePretrainConfig,
  type PretrainConfig,
} from '../../../src-main/pretrain/config.ts';
import { contrastiveLoss } from '../../../src-main/pretrain/contrastive.ts';
import {
  buildPretrainStep,
  dropoutSpecs,
  initialState,
  pretrainBatchSpecs,
} from '../../../src-main/pretrain/step.ts';
import {
  augmentationSchema,
  createViewInputs,
  sampleViews,
} from '../../../src-main/pretrain/views.ts';
import { rank2 } from '../../../src-main/nn/tensors.ts';
import { randomTensor } from '../nn/support.ts';

const compiled: Device = { executor: 'onnxruntime', provider: 'cpu' };
const eager: Device = { executor: 'reference', provider: 'cpu' };

describe('the training step', () => {
  test('gives the same eagerly and compiled, augmentation included', async () => {
    const config = configOf({ optimizer: 'sgd' });
    const [a, b] = [await steps(config, compiled, 1), await steps(config, eager, 1)];
    for (const name of ['loss.total', 'loss.encoder.group', 'loss.level3.contrast']) {
      expect(valueOf(a.outputs, name), name).toBeCloseTo(valueOf(b.outputs, name), 3);
    }
    expect(Object.keys(a.outputs)).toEqual(Object.keys(b.outputs));
  });

  test.each([
    { title: 'SlotCon', options: { decoder: 'none' } },
    {
      title: 'the decoder loss alone, dropout before the lateral connection',
      options: { levels: 'single', alpha: 0, dropoutSite: 'before-lateral' },
    },
    { title: 'the released teacher, AdamW', options: { ema: 'released', optimizer: 'adamw' } },
  ])('$title moves everything that should move', async ({ options }) => {
    const config = configOf(options);
    const { before, after, outputs } = await steps(config, compiled, 3); // the last gains start at 0
    expect(Number.isFinite(valueOf(outputs, 'loss.total'))).toBe(true);
    expect('projector_q.mlp.0.weight' in after).toBe(config.alpha > 0 || config.decoder === 'none');
    const still = Object.keys(after).filter((name) => sameData(before, after, name));
    const frozen = still.filter((name) => !/\.mlp\.[03]\.bias$/.test(name)); // zero gradients
    expect(frozen.filter((name) => !name.startsWith('dec_grouping_k'))).toEqual([]);
    expect(frozen.length > 0).toBe(config.ema === 'released');
  });
});

describe('the contrastive loss', () => {
  beforeAll(() => tf.setBackend('cpu'));

  const keys = tf.tensor2d([[1, 0], [0, 1], [-1, 0], [0, -1]]); // prettier-ignore
  const pairs = (used: number[]) => ({
    queries: keys,
    keys,
    candidates: tf.tensor1d([1, 1, 1, 0]),
    used: tf.tensor1d(used),
    selection: undefined,
  });

  test('is the same in chunks', () => {
    const predicted = randomTensor([4, 2], 1);
    const [whole, chunked] = [undefined, 4].map((limit) => {
      const loss = (x: tf.Tensor) => contrastiveLoss(rank2(x), pairs([1, 0, 1, 0]), 0.2, limit);
      return [loss(predicted), tf.grad(loss)(predicted)].map((t) => Array.from(t.dataSync()));
    });
    expect(chunked).toEqual(whole);
  });

  test('is 0 without rows, and then has no gradient', () => {
    const predicted = randomTensor([4, 2], 1);
    const loss = (x: tf.Tensor) => contrastiveLoss(rank2(x), pairs([0, 0, 0, 0]), 0.2);
    expect(loss(predicted).dataSync()[0]).toBe(0);
    expect(Array.from(tf.grad(loss)(predicted).dataSync()).every((g) => Math.abs(g) === 0)).toBe(
      true,
    );
  });
});

interface Run {
  readonly before: HostTensors;
  readonly after: HostTensors;
  readonly outputs: HostTensors;
}

function configOf(options: Readonly<Record<string, unknown>>): PretrainConfig {
  const small = {
    encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 2 },
    decoderChannels: 4,
    dim: 4,
    hidden: 6,
    prototypes: 5,
    batchSize: 3,
    cropPx: 64,
    tilePx: 64,
    steps: 4,
    ...options,
  };
  return resolvePretrainConfig(v.parse(PretrainOptionsSchema, small), 8);
}

async function steps(config: PretrainConfig, device: Device, count: number): Promise<Run> {
  const before = initialState(config);
  const step = await compileStep(buildPretrainStep(config), {
    state: before,
    batch: pretrainBatchSpecs(config),
    device,
    label: 'test',
  });
  let outputs: HostTensors = {};
  for (let i = 0; i < count; i++) outputs = await step.run(batchOf(config, i));
  const after = await step.readState();
  await step.dispose();
  return { before, after, outputs };
}

function batchOf(config: PretrainConfig, index: number) {
  const random = new Random(7).fork(`step ${index}`);
  const { batchSize: batch, tilePx, cropPx } = config;
  const size = { batch, tileSizePx: tilePx, cropSizePx: cropPx };
  const views = createViewInputs(size);
  const whole = Array.from({ length: batch }, () => ({ heightPx: tilePx, widthPx: tilePx }));
  sampleViews(random, size, v.parse(augmentationSchema, {}), whole, views);
  const masks = Object.entries(dropoutSpecs(config, batch)).map(([name, { shape }]) => {
    const values = Float32Array.from({ length: (shape[0] ?? 0) * (shape[1] ?? 0) }, () =>
      random.chance(0.5) ? 2 : 0,
    );
    return [name, values] as const;
  });
  return {
    images: Uint8Array.from({ length: batch * tilePx * tilePx * 3 }, () => random.integer(256)),
    ...views,
    ...Object.fromEntries(masks),
    optimizerScalars: optimizerScalars(0.1, index),
    teacherRate: Float32Array.of(0.1, 0.1),
  };
}

function valueOf(outputs: HostTensors, name: string): number {
  return outputs[name]?.data[0] ?? NaN;
}

function sameData(before: HostTensors, after: HostTensors, name: string): boolean {
  const [a, b] = [before[name]?.data ?? [], after[name]?.data ?? []];
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
