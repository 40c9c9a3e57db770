import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportRun } from '../../../src-main/inference/export.ts';
import { loadModelFile } from '../../../src-main/inference/model-file.ts';
import { loadRunModel } from '../../../src-main/inference/run-model.ts';
import { writeFileAtomic } from '../../../src-main/lib/files.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { readSafetensors, writeSafetensors } from '../../../src-main/nn/safetensors.ts';
import { segmentationParams } from '../../../src-main/nn/segmentation.ts';
import { loadWeights } from '../../../src-main/nn/weights.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { tinyConfig, tinyDescription } from './tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-export-'));
const params = segmentationParams(tinyConfig, new Random(5));
let project: Project;
let runId: string;

beforeAll(() => {
  project = createProject(join(folder, 'cells.decon'));
  project.classes.replaceAll(
    tinyDescription.classes.map(({ index, name, color }) => ({ classIndex: index, name, color })),
  );
  const config = { tilePx: 64, scale: 1 };
  const run = project.runs.create({ kind: 'finetune', config, seed: 5, start: 'random' });
  runId = run.id;
  project.runFolder(runId);
  const file = `runs/${runId}/weights.safetensors`;
  writeFileAtomic(project.path(file), [
    writeSafetensors(params, { network: JSON.stringify(tinyConfig) }),
  ]);
  project.checkpoints.put({ runId, kind: 'final', step: 3, file, bytes: 1, sha256: '0' });
  const scored = { iou: 0.8, dice: 0.9, truthPixels: 5, predictedPixels: 5 };
  project.runs.setResult(runId, {
    trainImages: 12,
    val: null,
    test: {
      scores: {
        classes: [scored, scored, { ...scored, iou: null, dice: null }],
        meanIou: 0.8,
        meanDice: 0.9,
        pixelAccuracy: 0.95,
      },
    },
  });
});
afterAll(() => {
  project.dispose();
  rmSync(folder, { recursive: true });
});

test('an ONNX export is checked, described, recorded once and predicts like the run', async () => {
  await exportRun(project, runId, { target: 'onnx' });
  const summary = await exportRun(project, runId, { target: 'onnx', license: 'CC-BY-4.0' });
  expect(summary.maxDifference).toBeLessThanOrEqual(1e-4);
  expect(project.models.list(runId).map(({ file }) => file)).toEqual(['models/finetune-1.onnx']);
  const card = readFileSync(summary.card, 'utf8');
  expect(card).toContain('| cell | 0.9000 | 0.8000 |');
  expect(card).toContain('| debris | no example | no example |');
  expect(card).toContain('trained on: 12');
  expect(card).toContain('CC-BY-4.0');

  const tile = new Uint8Array(64 * 64 * 3).fill(90);
  const fromFile = await loadModelFile(summary.files[0]?.path ?? '');
  const fromRun = await loadRunModel(project, runId, { executor: 'onnxruntime', provider: 'cpu' });
  expect(fromFile.description).toEqual({ ...fromRun.description, license: 'CC-BY-4.0' });
  const [a, b] = [await fromFile.predictor.predict(tile), await fromRun.predictor.predict(tile)];
  a.forEach((value, i) => expect(Math.abs(value - (b[i] ?? 0))).toBeLessThan(1e-5));
  await fromFile.dispose();
  await fromRun.dispose();
});

test.each([
  ['torchvision', 'encoder', 'layer2.0.downsample.0.weight'],
  ['torchvision', 'decoder', 'fpn.layer_blocks.0.1.running_mean'],
  ['mmsegmentation', 'encoder', 'layer4.0.bn1.bias'],
  ['mmsegmentation', 'decoder', 'lateral_convs.3.conv.weight'],
  ['detectron2', undefined, 'res3.0.shortcut.norm.weight'],
  ['detectron2', undefined, 'fpn_lateral5.norm.bias'],
] as const)('%s weights (%s) carry %s', async (target, part, name) => {
  const summary = await exportRun(project, runId, { target, outDir: join(folder, 'out') });
  const file = summary.files.find(({ path }) => part === undefined || path.includes(`-${part}.`));
  const { tensors } = readSafetensors(file?.path ?? '');
  expect(Object.keys(tensors)).toContain(name);
  expect(Object.keys(tensors).some((key) => key.includes('classifier'))).toBe(false);
  expect(readFileSync(summary.card, 'utf8')).toContain(basename(file?.path ?? ''));
});

test('an exported encoder loads back as start weights, every value the same', async () => {
  const { files } = await exportRun(project, runId, { target: 'torchvision' });
  const fresh = segmentationParams(tinyConfig, new Random(6));
  const { tensors, report } = loadWeights(fresh, readSafetensors(files[0]?.path ?? '').tensors);
  expect([report.missing, report.unknown, report.mismatched]).toEqual([[], [], []]);
  expect(tensors['encoder.conv1.weight']?.data).toEqual(params['encoder.conv1.weight']?.data);
});

test('a run that has nothing to export says what to do', async () => {
  const run = project.runs.create({ kind: 'pretrain', config: {}, seed: 1, start: 'random' });
  await expect(exportRun(project, run.id, { target: 'onnx' })).rejects.toThrow(
    'Fine-tune it first with "decon finetune --from pretrain-1"',
  );
  await expect(exportRun(project, run.id, { target: 'torchvision' })).rejects.toThrow(
    'no finished weights yet',
  );
});
