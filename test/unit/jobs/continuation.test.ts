import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { prepareResume } from '../../../src-main/jobs/continuation.ts';
import { ownIdentity } from '../../../src-main/jobs/process-identity.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import type { RunKind, RunRow } from '../../../src-main/project/runs.ts';

let folder = '';
let project: Project;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-continuation-'));
  project = createProject(join(folder, 'a.decon'));
});
afterEach(() => {
  vi.useRealTimers();
  project.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function finishedRun(kind: RunKind = 'pretrain'): RunRow {
  const options = v.parse(PretrainOptionsSchema, { steps: 100 });
  const config = kind === 'pretrain' ? resolvePretrainConfig(options, 50) : {};
  const { id } = project.runs.create({ kind, config, seed: 0, start: 'random' });
  project.jobs.create({ type: kind, runId: id, options: { device: 'cpu' } });
  project.runs.setProgress(id, 100, 100);
  project.runs.setStatus(id, 'done');
  return defined(project.runs.get(id), 'run');
}

test('an interrupted run goes on with the options of its last job', () => {
  const run = finishedRun();
  project.runs.setStatus(run.id, 'interrupted');
  expect(prepareResume(project, { ...run, status: 'interrupted' })).toEqual({
    type: 'pretrain',
    runId: run.id,
    options: { device: 'cpu' },
  });
});

test('a stopped run has steps left and can be continued', () => {
  const run = finishedRun();
  expect(prepareResume(project, { ...run, step: 50 }).runId).toBe(run.id);
});

test('a finished run is extended by a cycle of its own, or not continued', () => {
  const run = finishedRun();
  expect(() => prepareResume(project, run)).toThrow(/is finished. Extend it/);
  prepareResume(project, run, { type: 'steps', steps: 40 });
  const extended = defined(project.runs.get(run.id), 'run');
  expect(extended.config).toEqual({ ...run.config, extensions: [40] });
  expect(extended).toMatchObject({ step: 100, totalSteps: 140 });
});

test('an extension by time becomes steps at the measured pace', () => {
  const run = finishedRun();
  const extension = { type: 'seconds', seconds: 60 } as const;
  expect(() => prepareResume(project, run, extension)).toThrow(/how fast/);
  vi.useFakeTimers();
  for (const step of [10, 20, 30]) {
    vi.advanceTimersByTime(5000);
    project.runMetrics.add(run.id, step, { loss: 1 });
  }
  prepareResume(project, run, extension);
  expect(project.runs.get(run.id)?.totalSteps).toBe(100 + 120);
});

test('a fine-tuning is not extended and a running run not continued, with the reason', () => {
  const finetuning = finishedRun('finetune');
  const extension = { type: 'steps', steps: 10 } as const;
  expect(() => prepareResume(project, finetuning, extension)).toThrow(/Start a new one/);
  const job = project.jobs.create({ type: 'finetune', runId: finetuning.id });
  project.jobs.update(job.id, { status: 'running', ...ownIdentity() });
  expect(() => prepareResume(project, finetuning)).toThrow(/is running. Pause it first/);
});
