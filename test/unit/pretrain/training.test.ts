import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CompiledStep } from '../../../src-main/graph/compile.ts';
import type { HostTensors } from '../../../src-main/graph/types.ts';
import { AppError, CancelledError, defined } from '../../../src-main/lib/errors.ts';
import { readSafetensors } from '../../../src-main/nn/safetensors.ts';
import { BatchMaker } from '../../../src-main/pretrain/batches.ts';
import { resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import type { PretrainConfig } from '../../../src-main/pretrain/config.ts';
import { extendSettings, readRunSettings } from '../../../src-main/pretrain/run-settings.ts';
import { Training } from '../../../src-main/pretrain/training.ts';
import { control, noiseTiles, tinyProject } from './tiny-run.ts';

type Tiny = ReturnType<typeof tinyProject>;

/** The step's numbers are simple here; what is tested is when it is called and what is kept. */
describe('training', () => {
  const projects: Tiny[] = [];
  const tiny = (options = {}): Tiny => {
    const made = tinyProject({ steps: 8, ...options });
    projects.push(made);
    return made;
  };
  afterEach(() => projects.splice(0).forEach((made) => made.dispose()));

  it('gives the same losses when it is paused and continued', async () => {
    const whole = tiny();
    await train(whole, control());
    const parts = tiny();
    await train(parts, control({ what: 'pause', after: 3 }));
    expect(parts.project.runs.get(parts.runId)?.step).toBe(3);
    expect(parts.project.models.list(parts.runId)).toHaveLength(1);
    const second = control({ what: 'pause', after: 5 });
    await train(parts, second);
    expect(second.notices).toContain('Continuing after step 3.');
    await train(parts, control());
    expect(losses(parts)).toEqual(losses(whole));
    expect(losses(whole)).toHaveLength(8);
  });

  it('loses nothing but the steps since the last checkpoint when it is cancelled', async () => {
    const whole = tiny();
    await train(whole, control());
    const cut = tiny({ checkpointSeconds: 0 });
    await expect(train(cut, control({ what: 'cancel', after: 5 }))).rejects.toThrow(CancelledError);
    expect(cut.project.checkpoints.get(cut.runId, 'latest')?.step).toBe(5);
    await train(cut, control());
    expect(losses(cut)).toEqual(losses(whole));
  });

  it('leaves a loadable model when it is stopped', async () => {
    const made = tiny();
    await train(made, control({ what: 'stop', after: 2 }));
    const file = defined(made.project.models.list(made.runId)[0], 'model').file;
    const { tensors, metadata } = readSafetensors(made.project.path(file));
    expect(Object.keys(tensors)).toEqual(['encoder.weight']);
    expect(metadata['step']).toBe('2');
    expect(made.project.runs.get(made.runId)?.result).toMatchObject({ step: 2, totalSteps: 8 });
  });

  it('keeps one checkpoint file and falls back to the healthy one when it is damaged', async () => {
    const made = tiny({ checkpointSeconds: 0 });
    await train(made, control({ what: 'pause', after: 4 }));
    const folder = made.project.runFolder(made.runId);
    expect(readdirSync(folder)).toEqual(['checkpoint-4-0.safetensors']);
    const { project, runId } = made;
    const healthy = defined(project.checkpoints.get(runId, 'healthy'), 'checkpoint');
    const damaged = `${healthy.file}.damaged`;
    writeFileSync(project.path(damaged), 'nothing');
    project.checkpoints.put({ ...healthy, kind: 'latest', step: 6, file: damaged });
    const next = control();
    await train(made, next);
    expect(next.notices).toContain('Continuing after step 4.');
    expect(existsSync(project.path(damaged))).toBe(false);
  });

  it('goes on when a checkpoint cannot be written', async () => {
    const made = tiny({ checkpointSeconds: 0 });
    mkdirSync(join(made.project.runFolder(made.runId), 'checkpoint-1-0.safetensors'));
    const heard = control({ what: 'pause', after: 4 });
    await train(made, heard);
    expect(heard.notices.join(' ')).toContain('No checkpoint at step 1');
    expect(made.project.checkpoints.get(made.runId, 'latest')?.step).toBe(4);
  });

  it('goes back with half the learning rate when a loss is no number', async () => {
    const made = tiny({ checkpointSeconds: 0 });
    const heard = control();
    const rates: number[] = [];
    await train(made, heard, (call, rate) => {
      rates.push(rate);
      return call === 3;
    });
    expect(heard.notices.join(' ')).toMatch(
      /at step 4. Training went back to step 3 .*attempt 1 of 3/,
    );
    expect(rates[4]).toBeCloseTo((rates[3] ?? NaN) / 2, 9);
    expect(losses(made)).toHaveLength(8);
  });

  it('gives up after going back three times', async () => {
    const made = tiny();
    const heard = control();
    const attempt = train(made, heard, (call) => call % 5 === 4);
    await expect(attempt).rejects.toMatchObject({ code: 'pretrain.diverged' });
    expect(
      heard.notices.filter((notice) => notice.includes('half the learning rate')),
    ).toHaveLength(3);
    await expect(attempt).rejects.toBeInstanceOf(AppError);
  });

  it('continues with a cycle of its own when it is extended', async () => {
    const made = tiny();
    await train(made, control());
    const before = losses(made);
    const { project, runId } = made;
    const stored = defined(project.runs.get(runId), 'run').config;
    project.runs.setConfig(runId, extendSettings(stored, 4));
    await train(made, control());
    expect(losses(made)).toHaveLength(12);
    expect(losses(made).slice(0, 8)).toEqual(before);
    expect(project.runs.get(runId)).toMatchObject({ step: 12, totalSteps: 12 });
  });
});

async function train(
  { project, runId }: Tiny,
  heard: ReturnType<typeof control>,
  isBroken: (call: number, rate: number) => boolean = () => false,
): Promise<void> {
  const settings = readRunSettings(defined(project.runs.get(runId), 'run').config);
  const config: PretrainConfig =
    settings.type === 'asked' ? resolvePretrainConfig(settings.options, 10) : settings.config;
  project.runs.setConfig(runId, config);
  const training = new Training({
    project,
    runId,
    config,
    compiled: countingStep(isBroken),
    batches: new BatchMaker(config, noiseTiles()),
    control: heard,
    initialState,
  });
  await training.resume();
  await training.run();
}

/** A step whose weight moves by learning rate and image content; its loss is the weight. */
function countingStep(isBroken: (call: number, rate: number) => boolean): CompiledStep {
  let state = initialState();
  let calls = 0;
  return {
    run: (batch) => {
      const rate = batch['optimizerScalars']?.[0] ?? 0;
      const pixel = batch['images']?.[5] ?? 0;
      const column = batch['views.columns']?.find((weight) => weight !== 0) ?? 0;
      const before = state['encoder_k.weight']?.data[0] ?? 0;
      const after = before + rate * (pixel + column);
      state = initialState(after);
      const loss = isBroken(calls++, rate) ? NaN : after;
      const output = { shape: [], dtype: 'float32' as const, data: Float32Array.of(loss) };
      return Promise.resolve({ 'loss.total': output });
    },
    readState: () => Promise.resolve(state),
    writeState: (next) => {
      state = next;
      return Promise.resolve();
    },
    info: { nodes: 0, traceMs: 0, compileMs: 0 },
    traffic: { uploadedBytes: 0, downloadedBytes: 0 },
    dispose: () => Promise.resolve(),
  };
}

function initialState(weight = 1): HostTensors {
  return { 'encoder_k.weight': { shape: [1], dtype: 'float32', data: Float32Array.of(weight) } };
}

function losses({ project, runId }: Tiny): (number | undefined)[] {
  return project.runMetrics.list(runId).map(({ values }) => values['loss.total']);
}
