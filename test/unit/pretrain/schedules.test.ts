import { expect, it } from 'vitest';
import { ratesAt, totalSteps } from '../../../src-main/pretrain/schedules.ts';

const config = {
  learningRate: 1,
  batchSize: 128,
  warmupSteps: 10,
  steps: 100,
  extensions: [],
  teacherMomentum: 0.99,
  ema: 'consistent' as const,
};

it('warms up, falls and scales with the batch', () => {
  expect(ratesAt(config, 0).learningRate).toBeCloseTo(0.005, 9);
  expect(ratesAt(config, 10).learningRate).toBeCloseTo(0.5, 9);
  expect(ratesAt(config, 99).learningRate).toBeLessThan(0.001);
  expect(ratesAt(config, 0).encoderMomentum).toBeCloseTo(0.99, 12);
  expect(ratesAt(config, 99).decoderMomentum).toBeGreaterThan(0.9999);
});

it('gives an extension a cycle of its own and leaves the first one alone', () => {
  const longer = { ...config, extensions: [50] };
  expect(totalSteps(longer)).toBe(150);
  expect(ratesAt(longer, 60)).toEqual(ratesAt(config, 60));
  expect(ratesAt(longer, 100).learningRate).toBeCloseTo(0.005, 9);
  expect(ratesAt(longer, 105).learningRate).toBeCloseTo(0.5, 9);
  expect(ratesAt(longer, 100).encoderMomentum).toBeCloseTo(0.99, 12);
  expect(() => ratesAt(longer, 150)).toThrow('beyond the end');
});

it('counts twice a step in the released way', () => {
  const released = { ...config, ema: 'released' as const };
  expect(ratesAt(released, 20).encoderMomentum).toBe(ratesAt(config, 40).encoderMomentum);
  expect(ratesAt(released, 20).decoderMomentum).toBe(ratesAt(config, 41).encoderMomentum);
});
