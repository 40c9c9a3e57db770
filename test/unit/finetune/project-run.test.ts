import { join } from 'node:path';
import { parse } from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importImages } from '../../../src-main/datasets/import.ts';
import { type FinetuneInput, parseFinetuneConfig } from '../../../src-main/finetune/config.ts';
import { finetuneResultSchema } from '../../../src-main/finetune/result.ts';
import { openStudy, runStudy } from '../../../src-main/finetune/study.ts';
import { runFinetuning } from '../../../src-main/finetune/trainer.ts';
import { writeTensors } from '../../../src-main/pretrain/checkpoint.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { greyPng, rectangle, sample, TemporaryFolder } from '../datasets/sample-files.ts';
import { scriptedControl } from './blobs.ts';

const device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 } as const;
const network = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 4 },
  decoder: 'fpn',
  decoderChannels: 4,
  fcnForm: 'cityscapes',
} as const;
const short = {
  batch: 2,
  cropPx: 32,
  tilePx: 64,
  steps: 2,
  evaluations: 1,
} satisfies FinetuneInput;

let folder: TemporaryFolder;
let project: Project;

/** Eight pictures of 80 x 48 px in four groups: four to train with, two each to choose and to test. */
beforeEach(async () => {
  folder = new TemporaryFolder();
  project = createProject(join(folder.path, 'Test.decon'));
  const names = Array.from({ length: 8 }, (_, i) => `group${i % 4}_${i}.png`);
  for (const [i, name] of names.entries()) {
    folder.write(`data/images/${name}`, await sample(80, 48, i).png().toBuffer());
    folder.write(`data/masks/${name}`, await greyPng(rectangle(80, 48, 1), 80, 48));
  }
  folder.writeJson('data/classes.json', {
    ignore_index: null,
    classes: ['ground', 'cell'].map((name, index) => ({ index, name, colour: '#00c8ff' })),
  });
  folder.writeJson('data/split.json', {
    train: names.slice(0, 4),
    val: names.slice(4, 6),
    test: names.slice(6),
    unlabelled: [],
  });
  await importImages(project, { imagesPath: join(folder.path, 'data') });
});

afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

function pretrainedRun(): string {
  const { id } = project.runs.create({
    kind: 'pretrain',
    config: network,
    seed: 0,
    start: 'random',
  });
  const params = segmentationParams({ ...network, classes: 2 }, new Random(7));
  const teacher = Object.fromEntries(
    Object.entries(params).map(([name, tensor]) => [
      name.replace(/^(encoder|decoder)\./, '$1_k.'),
      tensor,
    ]),
  );
  const path = join(project.runFolder(id), 'teacher.safetensors');
  project.checkpoints.put({
    runId: id,
    kind: 'final',
    step: 1,
    ...writeTensors(project, path, teacher, {}),
  });
  return id;
}

describe('runFinetuning', () => {
  it('trains on imported images and scores whole held-out ones', async () => {
    const config = parseFinetuneConfig({ ...network, ...short, scale: 0.75, fraction: 0.5 });
    const run = project.runs.create({ kind: 'finetune', config, seed: 0, start: 'random' });
    const { control, phases } = scriptedControl();
    await runFinetuning(project, run.id, device, control);
    const result = parse(finetuneResultSchema, project.runs.get(run.id)?.result);
    expect(result.trainImages).toBe(2);
    const pixels = result.test?.scores.classes.map(({ truthPixels }) => truthPixels) ?? [];
    expect(pixels.reduce((sum, count) => sum + count, 0)).toBe(2 * 80 * 48); // at full size
    expect([...phases]).toContain('Scoring the test images');
  });

  it('goes on without validation images, in words', async () => {
    const chosen = project.images.list({ split: 'val' });
    project.images.setSplits(new Map(chosen.map(({ id }) => [id, 'test'])));
    const config = parseFinetuneConfig({ ...network, ...short });
    const run = project.runs.create({ kind: 'finetune', config, seed: 0, start: 'random' });
    const { control, notices } = scriptedControl();
    await runFinetuning(project, run.id, device, control);
    expect(notices.join()).toContain('the last weights are kept');
    expect(project.checkpoints.get(run.id, 'final')?.step).toBe(2);
    expect(parse(finetuneResultSchema, project.runs.get(run.id)?.result).val).toBeNull();
  });
});

describe('runStudy', () => {
  it('trains every cell once, also when it is paused in between', async () => {
    const study = openStudy(project, 'small', {
      pretrainRun: pretrainedRun(),
      fractions: [1],
      starts: ['random', 'encoder+decoder'],
      seeds: [0],
      finetune: short,
    });
    const statuses = () => project.studies.cells(study.id).map(({ status }) => status);
    await runStudy(project, study.id, device, scriptedControl({ pauseAt: 1 }).control);
    expect(statuses()).toContain('paused');
    await runStudy(project, study.id, device, scriptedControl().control);
    expect(statuses()).toEqual(['done', 'done']);
    const runs = project.studies.cells(study.id).map(({ runId }) => runId);
    expect(new Set(runs).size).toBe(2);
    expect(project.runs.list('finetune').map(({ status }) => status)).toEqual(['done', 'done']);
    const { result } = defined(project.studies.get(study.id), 'study');
    expect(result).toMatchObject({ cellsDone: 2, cells: 2, heldOutImages: 2, measuredOn: 'test' });
  });
});
