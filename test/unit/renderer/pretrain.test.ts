import { expect, test } from 'vitest';
import { settingOf, withChanges } from '../../../src-renderer/screens/pretrain/changes.ts';
import { curvesOf } from '../../../src-renderer/screens/pretrain/curves.ts';

test('changed settings leave the plan as it is', () => {
  const plan = { batchSize: 16, timeBudgetSeconds: 600, augmentation: { hue: 0.1, mirror: 0.5 } };
  const changed = withChanges(plan, { 'augmentation.hue': 0.3, timeBudgetSeconds: undefined });
  expect(changed).toEqual({ batchSize: 16, augmentation: { hue: 0.3, mirror: 0.5 } });
  expect(plan.augmentation.hue).toBe(0.1);
  expect(settingOf(changed, 'augmentation.hue')).toBe(0.3);
  expect(settingOf(changed, 'batchSize')).toBe(16);
});

const metrics = {
  steps: [1, 2],
  stepsPerPoint: 1,
  series: [
    { name: 'loss.encoder', values: [4, 3] },
    { name: 'loss.encoder.group', values: [8, 7] },
    { name: 'loss.level0', values: [6, 5] },
    { name: 'loss.level1', values: [4, 3] },
    { name: 'loss.total', values: [9, 9] },
  ],
};

test("the decoder's curve is the mean of its levels", () => {
  expect(curvesOf(metrics, 'sides')).toEqual([
    { name: 'encoder', values: [4, 3], style: 0 },
    { name: 'decoder', values: [5, 4], style: 1 },
  ]);
});

test('every level has a line of its own', () => {
  const names = (mode: Parameters<typeof curvesOf>[1]) =>
    curvesOf(metrics, mode).map(({ name }) => name);
  expect(names('levels')).toEqual(['encoder', 'decoder p2', 'decoder p3']);
  expect(names('group')).toEqual(['encoder']);
  const single = { ...metrics, series: metrics.series.slice(0, 3) };
  expect(curvesOf(single, 'levels').map(({ name }) => name)).toEqual(['encoder', 'decoder']);
});
