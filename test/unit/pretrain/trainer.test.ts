import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Progress } from '../../../src-main/lib/progress.ts';
import { trainOnTiles } from '../../../src-main/pretrain/trainer.ts';
import { control, cpu, noiseTiles, tinyProject } from './tiny-run.ts';

type Tiny = ReturnType<typeof tinyProject>;

describe('pre-training on the CPU', () => {
  const projects: Tiny[] = [];
  const tiny = (options = {}): Tiny => {
    const made = tinyProject(options);
    projects.push(made);
    return made;
  };
  afterEach(() => projects.splice(0).forEach((made) => made.dispose()));

  it.each([
    { title: 'gives the same losses and weights after being killed twice', precision: 'single' },
    { title: 'does so in half precision, with the scale of its loss', precision: 'half' },
  ])('$title', async ({ precision }) => {
    const options = { decoder: 'none', steps: 7, checkpointSeconds: 0, precision };
    const whole = tiny(options);
    await train(whole);
    const killed = tiny(options);
    for (const step of [2, 5]) {
      const child = spawnSync(process.execPath, [
        join(import.meta.dirname, 'killed-run.ts'),
        killed.project.dir,
        killed.runId,
        String(step),
      ]);
      expect(child.signal, String(child.stderr)).toBe('SIGKILL');
    }
    const heard = await train(killed);
    expect(heard.notices).toContain('Continuing after step 4.'); // step 5 was not saved yet
    expect(metrics(killed)).toEqual(metrics(whole));
    expect(metrics(whole)).toHaveLength(7);
    expect(weights(killed)).toEqual(weights(whole));
  });

  it('tells at a tenth how long it will take, with its checkpoints', async () => {
    const made = tiny({ decoder: 'none', steps: 60, checkpointSeconds: 0 });
    const started = performance.now();
    const ends: number[] = [];
    const heard = control();
    const report = (progress: Progress): void => {
      heard.report(progress);
      const [low, high] = progress.remainingSeconds ?? [NaN, NaN];
      ends[progress.done] = (performance.now() - started) / 1000 + (low + high) / 2;
    };
    const { project, runId } = made;
    await trainOnTiles(project, runId, {
      tiles: noiseTiles(),
      device: cpu,
      control: { ...heard, report },
      started,
    });
    const whole = (performance.now() - started) / 1000;
    // A checkpoint a step takes several times as long as the step. A busy machine is no steady one,
    // so the bound is wide; test/bench/data-path.ts holds a real training to 15 %.
    expect(Math.abs((ends[6] ?? NaN) / whole - 1)).toBeLessThan(0.4);
    expect(ends[2]).toBeNaN();
  });

  it('fits the number of steps to the time and stores it', async () => {
    const made = tiny({ decoder: 'none', steps: 'auto', timeBudgetSeconds: 3 });
    const heard = await train(made);
    const run = made.project.runs.get(made.runId);
    const steps = Number(run?.config['steps']);
    expect(steps).toBeGreaterThanOrEqual(1); // a busy machine may manage no more
    expect(run).toMatchObject({ step: steps, totalSteps: steps });
    expect(heard.notices).toContain(`${steps} steps fit into the time given.`);
    expect(heard.reports.at(-1)).toMatchObject({ done: steps, total: steps, unit: 'step' });
  });
});

async function train({ project, runId }: Tiny): Promise<ReturnType<typeof control>> {
  const heard = control();
  const started = performance.now();
  await trainOnTiles(project, runId, { tiles: noiseTiles(), device: cpu, control: heard, started });
  return heard;
}

/** What every step logged, without speed and memory. */
function metrics({ project, runId }: Tiny): (readonly [string, number])[][] {
  const measured = new Set(['imagesPerSecond', 'dataWaitShare', 'memoryBytes']);
  return project.runMetrics
    .list(runId)
    .map(({ values }) => Object.entries(values).filter(([name]) => !measured.has(name)));
}

/** Hash of the teacher's file, whose tensors and step must be the same. */
function weights({ project, runId }: Tiny): string | undefined {
  return project.checkpoints.get(runId, 'final')?.sha256;
}
