import { expect, test } from 'vitest';
import { downsample, RunCurves } from '../../../src-main/app/run-curves.ts';
import { tinyProject } from '../pretrain/tiny-run.ts';

const rows = Array.from({ length: 100 }, (_, i) => ({
  step: i + 1,
  at: i,
  values: { 'loss.total': i, 'loss.encoder': 2 * i, memoryBytes: 5 },
}));

test('few steps stay as they are', () => {
  const curves = downsample(rows, { points: 200, names: ['loss.'] });
  expect(curves.steps).toHaveLength(100);
  expect(curves.stepsPerPoint).toBe(1);
  expect(curves.series.map(({ name }) => name).sort()).toEqual(['loss.encoder', 'loss.total']);
});

test('many steps become means that end at their last step', () => {
  const { steps, series, stepsPerPoint } = downsample(rows, { points: 10, names: ['loss.total'] });
  expect(steps).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  expect(series[0]?.values.slice(0, 2)).toEqual([4.5, 14.5]);
  expect(stepsPerPoint).toBe(10);
});

test('a figure that some steps lack is null there', () => {
  const some = [
    { step: 1, at: 0, values: { a: 1 } },
    { step: 2, at: 0, values: { a: 2, b: 3 } },
  ];
  const { series } = downsample(some, { points: 10, names: ['a', 'b'] });
  expect(series.find(({ name }) => name === 'b')?.values).toEqual([null, 3]);
});

test('only new steps are read, and all again after a run went back', () => {
  const tiny = tinyProject();
  const { project, runId } = tiny;
  const curves = new RunCurves();
  const read = () => curves.read(project, runId, { points: 100, names: ['loss'] });
  for (let step = 1; step <= 5; step++) project.runMetrics.add(runId, step, { loss: step });
  expect(read().steps).toEqual([1, 2, 3, 4, 5]);
  project.runMetrics.add(runId, 6, { loss: 6 });
  expect(read().series[0]?.values).toEqual([1, 2, 3, 4, 5, 6]);
  project.runMetrics.removeAfter(runId, 3);
  project.runMetrics.add(runId, 4, { loss: 40 });
  expect(read().series[0]?.values).toEqual([1, 2, 3, 40]);
  tiny.dispose();
});
