import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { learningRateAt, teacherMomentumAt } from '../../src-main/pretrain/schedules.ts';
import type { Schedule } from '../../src-main/pretrain/schedules.ts';
import { goldenNote, hasGoldens, readGoldenJson } from './golden.ts';

const recipe = { batch: 512, warmupEpochs: 5, learningRate: 2, teacherMomentum: 0.99 };
const tiny = { imageCount: 8, batch: 2, epochs: 6, learningRate: 0.5, teacherMomentum: 0.99 };

describe.skipIf(!hasGoldens)(`schedules against the reference${goldenNote}`, () => {
  const golden = hasGoldens
    ? v.parse(v.record(v.string(), v.array(v.number())), readGoldenJson('schedules_f64.json'))
    : {};

  it.each([
    ['coco800', { ...recipe, imageCount: 118_287, epochs: 800 }],
    ['imagenet100', { ...recipe, imageCount: 1_281_167, epochs: 100 }],
    ['imagenet200', { ...recipe, imageCount: 1_281_167, epochs: 200 }],
    ['tiny', { ...tiny, warmupEpochs: 1.5 }],
  ])('%s', (name, options) => {
    const schedule = epochSchedule(options);
    const indices = golden[`${name}.index`] ?? [];
    expect(indices.length).toBeGreaterThan(10);
    indices.forEach((step, i) => {
      const rate = golden[`${name}.lr`]?.[i] ?? NaN;
      const momentum = golden[`${name}.ema`]?.[i] ?? NaN;
      expect(Math.abs(learningRateAt(schedule, step) - rate)).toBeLessThan(1e-12);
      expect(Math.abs(teacherMomentumAt(schedule, step) - momentum)).toBeLessThan(1e-12);
    });
  });

  it('is a plain cosine without warm-up', () => {
    const schedule = epochSchedule({ ...tiny, warmupEpochs: 0 });
    golden['tiny_nowarm.lr']?.forEach((rate, step) => {
      expect(Math.abs(learningRateAt(schedule, step) - rate)).toBeLessThan(1e-12);
    });
  });
});

/** The reference's schedule in epochs: incomplete batches are dropped, but the momentum counts them. */
function epochSchedule(options: {
  readonly imageCount: number;
  readonly batch: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly learningRate: number;
  readonly teacherMomentum: number;
}): Schedule {
  const { imageCount, batch, epochs, warmupEpochs, learningRate, teacherMomentum } = options;
  const stepsPerEpoch = Math.floor(imageCount / batch);
  return {
    learningRate,
    warmupSteps: warmupEpochs * stepsPerEpoch,
    totalSteps: epochs * stepsPerEpoch,
    teacherMomentum,
    momentumSteps: Math.trunc((imageCount / batch) * epochs),
  };
}
