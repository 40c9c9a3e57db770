import * as v from 'valibot';
import { expect, test } from 'vitest';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import { estimateTraining, fittingBatch } from '../../../src-main/pretrain/estimate.ts';
import { defaultOf, optionGuide } from '../../../src-main/pretrain/option-guide.ts';
import { predictMemory } from '../../../src-main/pretrain/memory.ts';
import { builtInPlans, tileCount, usualSide } from '../../../src-main/pretrain/plans.ts';
import { planRules } from '../../../src-main/pretrain/plan-rules.ts';
import { stateBytes } from '../../../src-main/pretrain/size.ts';
import { initialState } from '../../../src-main/pretrain/step.ts';
import { tinyOptions } from './tiny-run.ts';

const sizes = [
  { widthPx: 320, heightPx: 256, count: 90 },
  { widthPx: 1024, heightPx: 1024, count: 10 },
];
const roomy = { sizes, hasGpu: false, memoryBytes: 32e9 };
const machine = { freeMemoryBytes: 32e9, freeDiskBytes: 1e12, gigaflops: 80 };
const quick = () => plan('quick', roomy);

function plan(id: string, facts: Parameters<typeof builtInPlans>[0], secondsPerStep = 1) {
  const plans = builtInPlans(facts, () => secondsPerStep);
  return (
    plans.find((candidate) => candidate.id === id)?.options ?? v.parse(PretrainOptionsSchema, {})
  );
}

test('sizes of images decide crops and tiles', () => {
  expect(usualSide(sizes)).toBe(256);
  expect(quick()).toMatchObject({ cropPx: 96, tilePx: 160, batchSize: 16 });
  const small = [{ widthPx: 70, heightPx: 70, count: 5 }];
  expect(plan('overnight', { ...roomy, sizes: small })).toMatchObject({ cropPx: 64, tilePx: 96 });
  expect(tileCount(sizes, { tilePx: 160, scale: 1 })).toBe(90 * 4 + 10 * 49);
});

test('little memory makes the batch smaller, then the crops', () => {
  expect(plan('overnight', { ...roomy, memoryBytes: 2.5e9 }).batchSize).toBeLessThan(16);
  const least = plan('overnight', { ...roomy, memoryBytes: 1e9 });
  expect(least).toMatchObject({ batchSize: 8, cropPx: 64 });
});

test('a day is enough for the epochs of the papers, or the day decides', () => {
  expect(plan('thorough', roomy, 0.1)).toMatchObject({ epochs: 800 });
  expect(plan('thorough', roomy, 0.1).timeBudgetSeconds).toBeUndefined();
  expect(plan('thorough', roomy, 10)).toMatchObject({ timeBudgetSeconds: 86_400 });
});

test('a measured pace turns time into steps', () => {
  const pace = { secondsPerStep: 2, peakBytes: 5e9, compileSeconds: 10, gigaflops: 70 };
  const measured = estimateTraining(quick(), sizes, machine, pace);
  expect(measured).toMatchObject({ basis: 'measured', memoryBytes: 5e9, refusal: '' });
  expect(measured.steps[0]).toBeGreaterThan(230);
  expect(measured.steps[1]).toBeLessThan(310);
  const rough = estimateTraining(quick(), sizes, machine, undefined);
  expect(rough.basis).toBe('rough');
  expect(rough.steps[1] / rough.steps[0]).toBeGreaterThan(2);
});

test('the batch that fits follows from the measured peak', () => {
  const config = resolvePretrainConfig(quick(), 850);
  const predicted = predictMemory(config);
  expect(fittingBatch(config, predicted, undefined)).toBe(16);
  expect(fittingBatch(config, 0.95 * predicted, undefined)).toBe(12);
  expect(fittingBatch(config, 0.95 * predicted, { peakBytes: 0.8 * predicted })).toBe(16);
  expect(fittingBatch(config, predicted, { peakBytes: 1.05 * predicted })).toBe(12);
  expect(fittingBatch(config, 0.1 * predicted, undefined)).toBeUndefined();
});

test('the whole time counts compiling and checkpoints beside the steps', () => {
  const pace = { secondsPerStep: 1, peakBytes: 1e9, compileSeconds: 40, gigaflops: 70 };
  const seconds = (checkpointSeconds: number) => {
    const options = { ...quick(), timeBudgetSeconds: undefined, steps: 1000, checkpointSeconds };
    return estimateTraining(options, sizes, machine, pace).seconds;
  };
  expect(seconds(1e6)[0]).toBeGreaterThan(930 + 40);
  expect(seconds(1e6)[1]).toBeLessThan(1150 + 45);
  expect(seconds(1)[0]).toBeGreaterThan(seconds(1e6)[0]);
});

test('what cannot fit is refused with what to do', () => {
  const refusal = (freeMemoryBytes: number) =>
    estimateTraining(quick(), sizes, { ...machine, freeMemoryBytes }, undefined).refusal;
  expect(refusal(1.4e9)).toMatch(
    /needs about .* GB of memory, but only 1.4 GB .* Choose a batch of (12|8) instead of 16/,
  );
  expect(refusal(5e8)).toMatch(/Choose a batch of 8 and crops of 64 px instead of 96 px/);
  const full = { ...machine, freeDiskBytes: 1e6 };
  expect(estimateTraining(quick(), sizes, full, undefined).refusal).toMatch(/Free some space/);
});

test.each([{}, { decoder: 'fcn' }, { decoder: 'none' }, { levels: 'single', optimizer: 'lars' }])(
  'the state of %o is predicted within a tenth',
  (settings) => {
    const options = v.parse(PretrainOptionsSchema, { ...tinyOptions, hidden: 64, ...settings });
    const config = resolvePretrainConfig(options, 100);
    const real = Object.values(initialState(config)).reduce(
      (sum, { data }) => sum + data.byteLength,
      0,
    );
    expect(stateBytes(config) / real).toBeGreaterThan(0.9);
    expect(stateBytes(config) / real).toBeLessThanOrEqual(1);
  },
);

test('every setting is explained, and the plan has a rule for each value', () => {
  const named = new Set(optionGuide.map(({ name }) => name));
  const settings = Object.keys(PretrainOptionsSchema.entries).filter(
    (name) => name !== 'startWeights' && name !== 'augmentation',
  );
  const views = Object.keys(v.parse(PretrainOptionsSchema, {}).augmentation);
  expect([...settings, ...views.map((name) => `augmentation.${name}`)].sort()).toEqual(
    [...named].sort(),
  );
  expect(optionGuide.every(({ explanation }) => explanation.endsWith('.'))).toBe(true);
  expect(defaultOf('augmentation.blur')).toEqual([1, 0.1]);
  const rules = planRules(resolvePretrainConfig(quick(), 850), sizes);
  expect(rules.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Images', 'Tiles', 'Length', 'Encoder', 'Decoder']),
  );
});
