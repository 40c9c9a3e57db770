import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deleteWeights, renameRun, weightBytes } from '../../../src-main/jobs/run-care.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import type { Project } from '../../../src-main/project/project.ts';
import type { RunRow } from '../../../src-main/project/runs.ts';
import { tinyProject } from '../pretrain/tiny-run.ts';

let tiny: ReturnType<typeof tinyProject>;
let project: Project;
const run = (): RunRow => defined(project.runs.get(tiny.runId), 'run');

beforeEach(() => {
  tiny = tinyProject();
  ({ project } = tiny);
  const { runId } = tiny;
  const file = `models/${run().name}.safetensors`;
  const checkpoint = `runs/${runId}/checkpoint-6-0.safetensors`;
  project.runFolder(runId);
  writeFileSync(project.path(file), 'model');
  writeFileSync(project.path(checkpoint), 'everything');
  const facts = { bytes: 5, sha256: 'ab' };
  project.models.add({ runId, format: 'safetensors-decon', file, facts: {}, ...facts });
  project.checkpoints.put({ runId, kind: 'final', step: 6, file, ...facts });
  project.checkpoints.put({ runId, kind: 'latest', step: 6, file: checkpoint, ...facts });
  project.runMetrics.add(runId, 6, { 'loss.total': 1 });
});
afterEach(() => tiny.dispose());

test('deleting the weights keeps the record', () => {
  expect(weightBytes(project, tiny.runId)).toBe(15);
  expect(deleteWeights(project, run())).toBe(15);
  expect(weightBytes(project, tiny.runId)).toBe(0);
  expect(existsSync(project.path('models/pretrain-1.safetensors'))).toBe(false);
  expect(project.models.list(tiny.runId)).toEqual([]);
  expect(project.runMetrics.list(tiny.runId)).toHaveLength(1);
  expect(run().name).toBe('pretrain-1');
});

test('a new name moves the files that are called after the run', () => {
  renameRun(project, run(), 'cells');
  expect(run().name).toBe('cells');
  expect(existsSync(project.path('models/cells.safetensors'))).toBe(true);
  expect(project.checkpoints.get(tiny.runId, 'final')?.file).toBe('models/cells.safetensors');
  expect(project.models.list(tiny.runId)[0]?.file).toBe('models/cells.safetensors');
  expect(project.checkpoints.get(tiny.runId, 'latest')?.file).toContain('checkpoint-6-0');
  expect(() => renameRun(project, run(), '../cells')).toThrow(/cannot be called/);
});
