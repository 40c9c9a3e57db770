import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startJob, type JobEvent } from '../../../src-main/jobs/runner.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import { PaceStore } from '../../../src-main/pretrain/pace-store.ts';
import { tinyOptions, tinyProject } from '../pretrain/tiny-run.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-pace-'));
  process.env['DECON_CACHE_DIR'] = folder;
});
afterEach(() => {
  delete process.env['DECON_CACHE_DIR'];
  rmSync(folder, { recursive: true, force: true });
});

test('the real step is timed in a process of its own, and the pace is kept', async () => {
  const tiny = tinyProject();
  const { project } = tiny;
  const config = resolvePretrainConfig(
    v.parse(PretrainOptionsSchema, { ...tinyOptions, decoder: 'none' }),
    100,
  );
  const job = project.jobs.create({
    type: 'calibrate',
    options: { device: 'cpu', configs: [config] },
  });
  const events: JobEvent[] = [];
  const running = startJob(project, job.id, { onEvent: (event) => events.push(event) });
  expect(await running.outcome).toEqual({ status: 'done', error: null, result: { measured: 1 } });
  expect(events.at(-1)).toMatchObject({
    type: 'progress',
    progress: { phase: 'Measuring this machine', total: 100 },
  });
  const store = new PaceStore();
  const pace = store.get(config, 'cpu');
  expect(pace?.secondsPerStep).toBeGreaterThan(0);
  expect(pace?.peakBytes).toBeGreaterThan(5e7);
  expect(store.gigaflops('cpu')).toBe(pace?.gigaflops);
  // Length and seed do not change a step; another batch does.
  expect(store.get({ ...config, steps: 9, seed: 1 }, 'cpu')).toEqual(pace);
  expect(store.get({ ...config, batchSize: 8 }, 'cpu')).toBeUndefined();
  expect(store.get(config, 'cuda')).toBeUndefined();
  tiny.dispose();
});
