import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FinetuneInput, parseFinetuneConfig } from '../../../src-main/finetune/config.ts';
import { readImageScores } from '../../../src-main/finetune/image-scores.ts';
import { finetuneResultSchema } from '../../../src-main/finetune/result.ts';
import { runFinetuning, trainOn } from '../../../src-main/finetune/trainer.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { blobData, scriptedControl } from './blobs.ts';

const device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 } as const;
const tiny: FinetuneInput = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 8 },
  decoderChannels: 8,
  batch: 2,
  cropPx: 32,
  tilePx: 64,
  steps: 8,
  evaluations: 2,
  seed: 4,
};

let folder = '';
let project: Project;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finetune-'));
  project = createProject(join(folder, 'Blobs.decon'));
});

afterEach(() => {
  project.dispose();
  rmSync(folder, { recursive: true });
});

function newRun(input: FinetuneInput): string {
  const config = parseFinetuneConfig({ ...input });
  return project.runs.create({ kind: 'finetune', config, seed: config.seed, start: 'random' }).id;
}

async function train(runId: string, script?: Parameters<typeof scriptedControl>[0]) {
  const run = defined(project.runs.get(runId), 'run');
  const { control, notices, phases } = scriptedControl(script);
  const config = parseFinetuneConfig(run.config);
  await trainOn(blobData(2, 1), { project, run, config, device, control }, performance.now());
  return { notices, phases };
}

/** What must be equal however often a run was interrupted. */
function traceOf(runId: string) {
  return {
    metrics: project.runMetrics.list(runId).map(({ step, values }) => ({ step, values })),
    best: project.checkpoints.get(runId, 'final')?.sha256,
    servedStep: project.checkpoints.get(runId, 'final')?.step,
  };
}

function resultOf(runId: string) {
  return parse(finetuneResultSchema, project.runs.get(runId)?.result);
}

describe('trainOn', () => {
  it('learns two pictures by heart and stores scores of whole images', async () => {
    const runId = newRun({
      ...tiny,
      steps: 60,
      learningRate: 5e-3,
      augmentation: { scale: [1, 1] },
    });
    const { phases } = await train(runId);
    const result = resultOf(runId);
    expect(result.test?.scores.meanDice).toBeGreaterThan(0.85);
    expect(result.val?.scores).toEqual(result.test?.scores);
    expect(result.steps).toBe(60);
    expect(project.checkpoints.list(runId).map(({ kind }) => kind)).toEqual(['best', 'final']);
    expect(phases).toContain('Quick estimate');
    const images = readImageScores(project.path(result.imageScores));
    expect(images.test.map(({ imageId }) => imageId)).toEqual(['picture 0', 'picture 1']);
    const cells = result.test?.confusion.map((_, i) =>
      images.test.reduce((sum, { confusion }) => sum + (confusion?.[i] ?? NaN), 0),
    );
    expect(cells).toEqual(result.test?.confusion); // the images add up to the set
    const losses = project.runMetrics.list(runId).map(({ values }) => values['loss'] ?? NaN);
    expect(losses).toHaveLength(60);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  });

  it.each([
    { title: 'gives the same losses and weights when paused or killed and resumed', input: tiny },
    { title: 'does so in half precision', input: { ...tiny, precision: 'half' } as const },
  ])('$title', async ({ input }) => {
    const [whole, paused, killed] = [newRun(input), newRun(input), newRun(input)];
    await train(whole);
    await train(paused, { pauseAt: 3 });
    expect(project.runs.get(paused)?.result).toBeNull();
    await train(paused);
    await expect(train(killed, { dieAt: 2 })).rejects.toThrow('killed');
    await expect(train(killed, { dieAt: 6 })).rejects.toThrow('killed');
    await train(killed);
    expect(traceOf(paused)).toEqual(traceOf(whole));
    expect(traceOf(killed)).toEqual(traceOf(whole));
  });

  it('learns in half precision as in single precision', async () => {
    const inputs = (['single', 'half'] as const).map((precision) => ({ ...tiny, precision }));
    const [single = [], half = []] = await Promise.all(
      inputs.map(async (input) => {
        const runId = newRun(input);
        await train(runId);
        return project.runMetrics.list(runId).map(({ values }) => values['loss'] ?? NaN);
      }),
    );
    expect(half).toHaveLength(8);
    expect(half).not.toEqual(single);
    half.forEach((loss, i) => {
      expect(Math.abs(loss - (single[i] ?? NaN)), `step ${i}`).toBeLessThan(0.02); // of about 2
    });
  });

  it('is refused in half precision on the CPU', async () => {
    const runId = newRun({ ...tiny, precision: 'half' });
    const { control } = scriptedControl();
    await expect(runFinetuning(project, runId, device, control)).rejects.toMatchObject({
      code: 'device.no-half',
    });
  });

  it('finishes with a scored model when it is stopped', async () => {
    const runId = newRun(tiny);
    await train(runId, { stopAt: 2 });
    expect(resultOf(runId)).toMatchObject({ steps: 2, servedStep: 2 });
    expect(resultOf(runId).test?.scores.meanIou).toBeGreaterThan(0);
  });

  it('turns a time budget into steps once and stores them', async () => {
    const runId = newRun({ ...tiny, steps: 'auto', timeBudgetSeconds: 2 });
    const { notices } = await train(runId);
    const { steps } = parseFinetuneConfig(defined(project.runs.get(runId), 'run').config);
    expect(steps).toBeGreaterThanOrEqual(20);
    expect(resultOf(runId).steps).toBe(steps);
    expect(notices.join()).toContain('steps fit into the time');
  });

  it('halves the learning rate when the loss is no number, and gives up in words', async () => {
    const runId = newRun({ ...tiny, optimizer: 'sgd', learningRate: 1e30, warmupShare: 0 });
    await expect(train(runId)).rejects.toMatchObject({ code: 'finetune.diverged' });
  });
});
