import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HostTensors } from '../../../src-main/graph/types.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { healthMetrics, judgeHealth, overallVerdict } from '../../../src-main/pretrain/health.ts';
import { healthTensors } from '../../../src-main/pretrain/health-tensors.ts';
import type { LevelHealth } from '../../../src-main/pretrain/health.ts';

const pixels = 600;
const dim = 16;
const prototypes = 8;

describe('health of a level', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it('finds spread-out features and even prototype use healthy', () => {
    const health = judged(noise(1), (pixel) => pixel % prototypes);
    expect(health.verdict).toBe('healthy');
    expect(health.remedy).toBeUndefined();
    expect(health.effectiveRank).toBeGreaterThan(14);
    expect(health.featureDeviation).toBeCloseTo(1, 1);
    expect(health.prototypeEntropy).toBeCloseTo(1, 5);
    expect(health.agreement).toBeCloseTo(1, 5);
  });

  it('finds equal features collapsed', () => {
    const same = noise(0.001).map((value) => value + 1);
    expect(judged(same, (pixel) => pixel % prototypes)).toMatchObject({ verdict: 'collapsed' });
  });

  it('finds a single used prototype collapsed, but only watches it during the warm-up', () => {
    const health = judged(noise(1), () => 3);
    expect(health).toMatchObject({ verdict: 'collapsed', prototypeEntropy: 0 });
    expect(health.remedy).toContain('prototypes');
    expect(judged(noise(1), () => 3, false).verdict).toBe('watch');
  });

  it('finds features along one line to have rank 1', () => {
    const line = Float32Array.from({ length: pixels * dim }, (_, i) =>
      i % dim === 2 ? ((i / dim) % 2 < 1 ? 1 : -1) : 0,
    );
    expect(judged(line, (pixel) => pixel % prototypes).effectiveRank).toBeCloseTo(1, 3);
  });

  it('writes plain metrics', () => {
    const level = judged(noise(1), () => 0);
    expect(overallVerdict([level])).toBe('collapsed');
    const metrics = healthMetrics([level]);
    expect(metrics['health.verdict']).toBe(2);
    expect(metrics['health.p2.effectiveRank']).toBe(level.effectiveRank);
  });
});

function noise(scale: number): Float32Array {
  const random = new Random(3);
  return Float32Array.from({ length: pixels * dim }, () => scale * random.normal());
}

function judged(
  features: Float32Array,
  slot: (pixel: number) => number,
  settled = true,
): LevelHealth {
  const slots = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: pixels }, (_, pixel) => slot(pixel)),
      'int32',
    ),
    prototypes,
  );
  const choice = tf.cast(slots, 'float32');
  const tensors = healthTensors('p2', tf.tensor2d(features, [pixels, dim]), choice, choice);
  const outputs: HostTensors = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      {
        shape: tensor.shape,
        dtype: 'float32' as const,
        data: Float32Array.from(tensor.dataSync()),
      },
    ]),
  );
  return defined(judgeHealth(outputs, settled)[0], 'health');
}
