import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClassCounts } from '../../../src-main/finetune/metrics.ts';
import { addCounts, segmentationScores } from '../../../src-main/finetune/metrics.ts';
import { openStudy, studyInputSchema } from '../../../src-main/finetune/study.ts';
import { studyResult } from '../../../src-main/finetune/study-result.ts';
import { studyMarkdown } from '../../../src-main/finetune/study-text.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import type { StudyCell, StudyRow } from '../../../src-main/project/studies.ts';
import { parse } from 'valibot';

const testImages = Array.from({ length: 30 }, (_, i) => `image ${i}`);

let folder = '';
let project: Project;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'study-'));
  project = createProject(join(folder, 'Study.decon'));
});

afterEach(() => {
  project.dispose();
  rmSync(folder, { recursive: true });
});

/** Counts of the test images for a network that finds about this share of each class. */
function counts(quality: number, random: Random): ClassCounts[] {
  return testImages.map(() => {
    const found = Math.round(1000 * Math.min(1, quality + 0.03 * random.normal()));
    const missed = 1000 - found;
    return {
      truePositive: [found, found],
      falsePositive: [missed, missed],
      falseNegative: [missed, missed],
    };
  });
}

/** Marks a cell as done, with the results that a training of this quality would have stored. */
function finish(study: StudyRow, cell: StudyCell, quality: number): void {
  const run = project.runs.create({
    kind: 'finetune',
    config: {},
    seed: cell.seed,
    start: cell.start,
  });
  const images = counts(quality, new Random(cell.seed));
  const file = `runs/${run.id}/image-scores.json`;
  mkdirSync(project.runFolder(run.id), { recursive: true });
  const test = testImages.map((imageId, i) => ({ imageId, ...images[i] }));
  writeFileSync(project.path(file), JSON.stringify({ val: [], test }));
  const evaluation = { scores: segmentationScores(addCounts(images, 2)), confusion: [] };
  const done = { servedStep: 1, steps: 1, trainedSeconds: 1, trainImages: 24 };
  project.runs.setResult(run.id, { ...done, val: null, test: evaluation, imageScores: file });
  project.studies.setCell({ ...cell, studyId: study.id, runId: run.id, status: 'done' });
}

function newStudy(): StudyRow {
  const parent = project.runs.create({
    kind: 'pretrain',
    config: { encoder: 'resnet34', decoder: 'fpn', decoderChannels: 64, fcnForm: 'cityscapes' },
    seed: 0,
    start: 'random',
  });
  return openStudy(project, 'cells', { pretrainRun: parent.id, fractions: [0.05, 0.1] });
}

function finishAll(study: StudyRow, quality: (cell: StudyCell) => number): void {
  for (const cell of project.studies.cells(study.id)) finish(study, cell, quality(cell));
}

function resultOf(study: StudyRow) {
  return studyResult(project, study.id, parse(studyInputSchema, study.config));
}

describe('openStudy', () => {
  it('adds the whole grid, with the network of the pre-training run', () => {
    const study = newStudy();
    expect(project.studies.cells(study.id)).toHaveLength(2 * 3 * 3);
    expect(study.config['finetune']).toMatchObject({ encoder: 'resnet34', decoderChannels: 64 });
  });

  it('continues with the same settings and refuses others', () => {
    const study = newStudy();
    const { pretrainRun } = parse(studyInputSchema, study.config);
    expect(openStudy(project, 'cells', { pretrainRun }).id).toBe(study.id);
    expect(openStudy(project, 'cells', { pretrainRun, fractions: [0.05, 0.1] }).id).toBe(study.id);
    expect(() => openStudy(project, 'cells', { pretrainRun, seeds: [7] })).toThrow(
      /other settings/,
    );
    expect(() => openStudy(project, 'a/b', { pretrainRun })).toThrow(/cannot be called/);
  });

  it('refuses a pre-training run that is not there, and settings that are wrong', () => {
    expect(() => openStudy(project, 'x', { pretrainRun: 'none' })).toThrow(/not in this project/);
    expect(() => openStudy(project, 'x', { pretrainRun: 'none', seeds: [-1] })).toThrow(/seeds/);
  });
});

describe('studyResult', () => {
  it('says helped where all seeds gain alike, and no clear difference where they do not', () => {
    const study = newStudy();
    finishAll(study, ({ fraction, start, seed }) => {
      if (start === 'random') return 0.8;
      return fraction === 0.05 ? 0.85 : 0.8 + 0.03 * (seed - 1);
    });
    const [few, more] = resultOf(study).fractions;
    expect(few?.comparisons.map(({ verdict }) => verdict)).toEqual(['helped', 'helped']);
    expect(few?.sentence).toMatch(
      /^With 5 % of the labels \(24 images\), starting from the pre-trained encoder and decoder helped: mean IoU changed by \+0\.0\d\d against random weights/,
    );
    expect(more?.sentence).toContain('made no clear difference');
    expect(more?.sentence).toContain('the interval includes zero');
  });

  it('says hurt', () => {
    const study = newStudy();
    finishAll(study, ({ start }) => (start === 'random' ? 0.8 : 0.7));
    expect(resultOf(study).fractions[0]?.sentence).toContain('encoder and decoder hurt');
  });

  it('also tells of a lesser start that clearly came out in another way', () => {
    const study = newStudy();
    finishAll(study, ({ start }) => (start === 'encoder' ? 0.7 : 0.8));
    const { sentence } = resultOf(study).fractions[0] ?? { sentence: '' };
    expect(sentence).toContain('encoder and decoder made no clear difference');
    expect(sentence).toContain(
      'Starting from the pre-trained encoder alone hurt: mean IoU changed',
    );
  });

  it('gives no verdict from one seed or without a partner', () => {
    const study = newStudy();
    const cells = project.studies.cells(study.id).filter(({ seed }) => seed === 0);
    for (const cell of cells.filter(({ fraction }) => fraction === 0.05)) {
      finish(study, cell, cell.start === 'random' ? 0.6 : 0.9);
    }
    for (const cell of cells.filter(({ fraction }) => fraction === 0.1)) {
      if (cell.start === 'random') finish(study, cell, 0.6);
    }
    const [few, more] = resultOf(study).fractions;
    expect(few?.sentence).toContain('there is no verdict');
    expect(few?.sentence).toContain('one seed');
    expect(more?.sentence).toContain('there is no verdict yet');
  });

  it('computes the same numbers from the same cells, and writes them as a table', () => {
    const study = newStudy();
    finishAll(study, ({ start }) => (start === 'random' ? 0.8 : 0.84));
    const result = resultOf(study);
    expect(resultOf(study)).toEqual(result);
    const text = studyMarkdown('cells', result);
    expect(text.split('\n').filter((line) => line.startsWith('| '))).toHaveLength(2 + 2 * 3);
    expect(text).toContain('| 5 % (24 images) | encoder+decoder | 0.');
    expect(text).toContain('measured on 30 whole test images');
    expect(text).not.toContain('provisional');
  });
});
