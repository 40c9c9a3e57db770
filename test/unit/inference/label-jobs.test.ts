import { join } from 'node:path';
import { parse } from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addClass } from '../../../src-main/datasets/class-edit.ts';
import { importImages } from '../../../src-main/datasets/import.ts';
import { labelRevision } from '../../../src-main/datasets/label-revision.ts';
import { LabelStore } from '../../../src-main/datasets/label-store.ts';
import { nextSuggestion } from '../../../src-main/datasets/label-spread.ts';
import { parseFinetuneConfig } from '../../../src-main/finetune/config.ts';
import { finetuneResultSchema } from '../../../src-main/finetune/result.ts';
import { runFinetuning } from '../../../src-main/finetune/trainer.ts';
import { proposeLabels } from '../../../src-main/inference/propose.ts';
import { suggestImages } from '../../../src-main/inference/suggest.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { renamed } from '../../../src-main/nn/names.ts';
import { segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { writeTensors } from '../../../src-main/pretrain/checkpoint.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { readLabel, tilesOf } from '../datasets/label-project.ts';
import { rectangle, sample, TemporaryFolder } from '../datasets/sample-files.ts';
import { scriptedControl } from '../finetune/blobs.ts';

const device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 } as const;
const openDevice = () => Promise.resolve(device);
const network = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 4 },
  decoder: 'fpn',
  decoderChannels: 4,
  fcnForm: 'cityscapes',
} as const;
const size = { widthPx: 300, heightPx: 270 };

let folder: TemporaryFolder;
let project: Project;
let store: LabelStore;
let ids: readonly string[];

/** Twelve pictures of three slides, nothing labelled. */
beforeEach(async () => {
  folder = new TemporaryFolder();
  project = createProject(join(folder.path, 'Test.decon'));
  for (let i = 0; i < 12; i++) {
    const picture = sample(size.widthPx, size.heightPx, i);
    folder.write(`images/slide${i % 3}_${10 + i}.png`, await picture.png().toBuffer());
  }
  await importImages(project, {
    imagesPath: join(folder.path, 'images'),
    groupBy: { type: 'pattern', pattern: '^(slide[0-9])_' },
  });
  store = new LabelStore(project);
  for (const name of ['ground', 'cell']) addClass(project, { name });
  ids = project.images.list().map(({ id }) => id);
});

afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

async function label(imageIds: readonly string[]): Promise<void> {
  const pixels = Uint8Array.from(rectangle(size.widthPx, size.heightPx, 1));
  for (const imageId of imageIds) {
    const tiles = tilesOf(pixels, size);
    await store.commit(imageId, { tool: 'brush', strokeId: 'a', isFinal: true, tiles });
    await store.setState(imageId, 'done');
  }
}

function createFinetuning(steps: number) {
  const config = parseFinetuneConfig({
    ...network,
    batch: 2,
    cropPx: 32,
    tilePx: 64,
    steps,
    evaluations: 1,
    scale: 0.5,
  });
  return project.runs.create({ kind: 'finetune', config, seed: 0, start: 'random' });
}

async function finetunedRun(): Promise<string> {
  const { id } = createFinetuning(2);
  await runFinetuning(project, id, device, scriptedControl().control);
  return id;
}

function pretrainedRun(): string {
  const { id } = project.runs.create({
    kind: 'pretrain',
    config: network,
    seed: 0,
    start: 'random',
  });
  const params = segmentationParams({ ...network, classes: 2 }, new Random(7));
  const teacher = renamed(params, (name) => name.replace(/^(encoder|decoder)\./, '$1_k.'));
  const path = join(project.runFolder(id), 'teacher.safetensors');
  const written = writeTensors(project, path, teacher, {});
  project.checkpoints.put({ runId: id, kind: 'final', step: 1, ...written });
  return id;
}

test('painted labels train a model whose proposals can be accepted', async () => {
  await label(ids.slice(0, 9));
  const runId = await finetunedRun();
  const result = parse(finetuneResultSchema, project.runs.get(runId)?.result);
  expect(result.labelRevision).toBe(
    labelRevision(project, [
      ...project.images.list({ split: 'train', hasMask: true }).map(({ id }) => id),
      ...project.images.list({ split: 'val', hasMask: true }).map(({ id }) => id),
      ...project.images.list({ split: 'test', hasMask: true }).map(({ id }) => id),
    ]),
  );
  const truth = result.val?.scores.classes.map(({ truthPixels }) => truthPixels) ?? [];
  const validated = project.images.count({ split: 'val', hasMask: true });
  expect(validated).toBeGreaterThan(0);
  expect(truth.reduce((sum, count) => sum + count, 0)).toBe(
    validated * size.widthPx * size.heightPx,
  );

  addClass(project, { name: 'added later' }); // the model knows nothing of it
  const { control } = scriptedControl();
  const summary = await proposeLabels(
    project,
    { runId, images: { type: 'next', count: 2 }, device },
    control,
  );
  expect(summary).toEqual({ proposed: 2, skipped: 0 });
  const proposals = project.labelLists.page('proposals', { search: '', offset: 0, limit: 9 });
  expect(proposals).toHaveLength(2);
  const imageId = proposals[0]?.imageId ?? '';
  const proposal = project.labelProposals.get(imageId);
  const proposed = Object.values(proposal?.valuePixels ?? {});
  expect(proposed.reduce((sum, count) => sum + count, 0)).toBe(size.widthPx * size.heightPx);
  expect(proposal?.confidence).toBeGreaterThanOrEqual(0.5);
  await store.acceptProposal(imageId, true, 'b');
  const pixels = await readLabel(store, imageId, size);
  expect(pixels.filter((pixel) => pixel === 1)).toHaveLength(proposal?.valuePixels[1] ?? 0);

  project.labelProposals.decide(proposals[1]?.imageId ?? '', 'rejected');
  const next = { runId, images: { type: 'next', count: 9 }, device } as const;
  expect(await proposeLabels(project, next, control)).toEqual({ proposed: 1, skipped: 0 });
  await expect(proposeLabels(project, next, control)).rejects.toThrow(/already labelled every/);
});

test('a run that is resumed with other labels says so', async () => {
  await label(ids.slice(0, 6));
  const { id } = createFinetuning(4);
  const paused = scriptedControl({ pauseAt: 2 });
  await runFinetuning(project, id, device, paused.control);
  const same = scriptedControl({ pauseAt: 3 });
  await runFinetuning(project, id, device, same.control);
  await label(ids.slice(6, 7));
  const other = scriptedControl();
  await runFinetuning(project, id, device, other.control);
  expect(same.notices.join()).not.toContain('have changed');
  expect(other.notices.join()).toContain('The labels have changed since this run began.');
});

test('a pre-trained encoder suggests what looks different, a fine-tuned model what it is unsure of', async () => {
  const runId = pretrainedRun();
  const { control } = scriptedControl();
  const auto = { strategy: 'auto', openDevice } as const;
  expect(await suggestImages(project, auto, control)).toMatchObject({
    strategy: 'different',
    looked: 12,
    suggested: 12,
  });
  expect(nextSuggestion(project, {})?.reason).toBe('The most typical of your images.');
  const first = nextSuggestion(project, {})?.imageId ?? '';
  expect(nextSuggestion(project, { except: first })?.rank).toBe(2);
  await label(ids.slice(0, 6));
  expect(project.labelSuggestions.count()).toBe(6);
  await suggestImages(project, { ...auto, runId }, control);
  expect(nextSuggestion(project, {})).toMatchObject({
    rank: 1,
    reason: 'Most different from your 6 labelled images.',
  });

  await finetunedRun();
  const summary = await suggestImages(project, auto, control);
  expect(summary).toMatchObject({ strategy: 'uncertain', suggested: 6 });
  const unsure = nextSuggestion(project, {});
  expect(unsure?.reason).toMatch(/is unsure here: [01]\.\d\d of 1\.$/);
  expect(unsure?.score).toBeLessThanOrEqual(1);
  await label(ids.slice(6));
  await expect(suggestImages(project, auto, control)).rejects.toThrow(/Every image is labelled/);
  expect(nextSuggestion(project, {})).toBeUndefined();
});

test('without any network the suggestions go through the groups', async () => {
  const { control } = scriptedControl();
  await label(ids.slice(0, 1));
  expect(await suggestImages(project, { strategy: 'auto', openDevice }, control)).toMatchObject({
    strategy: 'spread',
    suggested: 11,
  });
  const next = project.labelLists.page('next', { search: '', offset: 0, limit: 3 });
  const groups = next.map(({ imageId }) => project.images.get(imageId)?.groupKey);
  expect(new Set(groups.slice(0, 2))).toEqual(new Set(['slide1', 'slide2']));
  expect(project.labelSuggestions.first()?.reason).toMatch(/^The group "slide[12]" has no label/);
  expect(project.labelLists.page('next', { search: '', offset: 10, limit: 9 })).toHaveLength(1);
  const different = { strategy: 'different', openDevice } as const;
  await expect(suggestImages(project, different, control)).rejects.toThrow(/Pre-train one first/);
});

test('before any ranking the next image is of a group with few labels', async () => {
  await label(ids.slice(0, 9));
  const next = nextSuggestion(project, {});
  const { groupKey } = project.images.get(next?.imageId ?? '') ?? {};
  expect(groupKey).toBe('slide2');
  expect(next?.reason).toBe('The group "slide2" has the fewest labels: 1.');
});
