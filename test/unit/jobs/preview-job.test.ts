import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  classMapFolder,
  fileKey,
  notPredicted,
  readChangedAreas,
  readClassMapArea,
  readClassMapFacts,
} from '../../../src-main/inference/class-map.ts';
import { writeModelFile } from '../../../src-main/inference/model-file.ts';
import { modelKeyOf } from '../../../src-main/jobs/predict-job.ts';
import { startJob, type RunningJob } from '../../../src-main/jobs/runner.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { tinyConfig, tinyDescription } from '../inference/tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-preview-job-'));
const model = { type: 'file', path: join(folder, 'cells.onnx') } as const;
const picture = join(folder, 'large.png');
const [widthPx, heightPx] = [500, 1500];
let project: Project;

beforeAll(async () => {
  project = createProject(join(folder, 'a.decon'));
  await writeModelFile(model.path, segmentationParams(tinyConfig, new Random(1)), tinyDescription);
  const background = { r: 180, g: 40, b: 90 };
  await sharp({ create: { width: widthPx, height: heightPx, channels: 3, background } })
    .png()
    .toFile(picture);
}, 60_000);
afterAll(() => {
  project.dispose();
  rmSync(folder, { recursive: true });
});

function startPreview(): RunningJob {
  const options = { mode: 'preview', models: [model], images: [{ type: 'file', path: picture }] };
  return startJob(project, project.jobs.create({ type: 'predict', options }).id);
}

test('a preview that is cancelled midway keeps what is ready and can be made again', async () => {
  const map = classMapFolder(project, modelKeyOf(project, model), fileKey(picture) ?? '');
  const running = startPreview();
  while (readChangedAreas(map, 0).areas.length < 12) await sleep(20);
  running.ask('cancel');
  const askedAt = performance.now();
  expect((await running.outcome).status).toBe('cancelled');
  expect(performance.now() - askedAt).toBeLessThan(5000);

  const facts = defined(readClassMapFacts(map), 'class map');
  expect(facts).toMatchObject({ state: 'partial', widthPx, heightPx });
  const at = (topPx: number) =>
    readClassMapArea(map, facts, {
      plane: 'classes',
      level: 0,
      area: { leftPx: 0, topPx, widthPx: 1, heightPx: 1 },
    });
  expect((await at(0))[0]).toBeLessThan(3);
  expect((await at(heightPx - 1))[0]).toBe(notPredicted);

  expect((await startPreview().outcome).status).toBe('done');
  const whole = defined(readClassMapFacts(map), 'class map');
  expect(whole.state).toBe('complete');
  expect(whole.classPixels.reduce((sum, count) => sum + count, 0)).toBe(widthPx * heightPx);
}, 120_000);
