import { createRouterClient } from '@orpc/server';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRouter } from '../../../src-main/app/router.ts';
import { UserStateFile } from '../../../src-main/app/user-state.ts';
import { Workspace } from '../../../src-main/app/workspace.ts';
import type { StudyInput } from '../../../src-main/contract/studies.ts';
import { createFinetuning } from '../../../src-main/finetune/create-run.ts';
import { writeImageScores } from '../../../src-main/finetune/image-scores.ts';
import { addCounts, classCounts, segmentationScores } from '../../../src-main/finetune/metrics.ts';
import { studyResult } from '../../../src-main/finetune/study-result.ts';
import { openStudy, studyInputSchema } from '../../../src-main/finetune/study.ts';
import type { Project } from '../../../src-main/project/project.ts';
import { TemporaryFolder } from '../datasets/sample-files.ts';
import { labelledProject } from '../finetune/labelled-project.ts';

let folder: TemporaryFolder;
let workspace: Workspace;
let project: Project;

beforeEach(async () => {
  folder = new TemporaryFolder();
  project = await labelledProject(folder);
  const host = {
    kind: 'browser' as const,
    pick: () => Promise.resolve(null),
    reveal: () => false,
    setTheme: () => undefined,
  };
  workspace = new Workspace(host, new UserStateFile(join(folder.path, 'state')));
  await workspace.use(project);
});

afterEach(async () => {
  await workspace.close();
  folder[Symbol.dispose]();
});

const client = () => createRouterClient(createRouter(workspace));
const input: StudyInput = {
  shares: [
    { type: 'share', share: 1 },
    { type: 'images', images: 3 },
  ],
  starts: ['random'],
  seeds: 3,
  metric: 'meanIou',
  length: { type: 'time', seconds: 60 },
};

/** A finished model: this many of 100 pixels of each test image are right. */
function finish(runId: string, right: number): void {
  const images = project.images.list({ split: 'test' }).map(({ id }, i) => {
    const confusion = [right - i, 100 - right + i, 0, 0];
    const counts = Float64Array.from(confusion);
    return { imageId: id, confusion, ...classCounts({ classCount: 2, counts }) };
  });
  const imageScores = `runs/${runId}/image-scores.json`;
  project.runFolder(runId);
  writeImageScores(project.path(imageScores), { val: images, test: images });
  const scores = segmentationScores(addCounts(images, 2));
  const part = { scores, confusion: [2 * right - 1, 201 - 2 * right, 0, 0] };
  const length = { servedStep: 1, steps: 1, trainedSeconds: 1, trainImages: 8 };
  project.runs.setResult(runId, { ...length, val: part, test: part, imageScores });
  project.checkpoints.put({ runId, kind: 'final', step: 1, file: 'x', bytes: 7, sha256: 'x' });
}

describe('studies', () => {
  it('tells what can be chosen', async () => {
    const options = await client().studies.options();
    expect(options.labelled).toEqual({ train: 8, val: 2, test: 2 });
    expect(options.shares.map(({ images }) => images)).toEqual([1, 1, 2, 8]);
    expect(options.pretrainings).toEqual([]);
  });

  it('plans shares and numbers of images, the smallest first', async () => {
    const plan = await client().studies.plan(input);
    expect(plan.shares.map(({ images }) => images)).toEqual([3, 8]);
    expect(plan).toMatchObject({ trainings: 6, basis: 'asked', problems: [] });
    expect(plan.limits.join()).toContain('Only 2 held-out images');
  });

  it('refuses a start without weights in words', async () => {
    const plan = client().studies.plan({ ...input, starts: ['encoder'] });
    await expect(plan).rejects.toThrow('has no weights to take over');
  });

  it('shows a finished study, its command and its report', async () => {
    const study = openStudy(project, 'first', { starts: ['random'], fractions: [1], seeds: [0] });
    const [cell] = project.studies.cells(study.id);
    if (cell === undefined) throw new Error('The study has no cell');
    const run = createFinetuning(project, { steps: 1 });
    finish(run.id, 80);
    const scores = { meanIou: 0.7, seconds: 12 };
    project.studies.setCell({ ...cell, runId: run.id, status: 'done', scores });
    const config = parse(studyInputSchema, study.config);
    project.studies.setResult(study.id, studyResult(project, study.id, config));

    const [summary] = await client().studies.list();
    expect(summary).toMatchObject({ name: 'first', status: 'done', cellsDone: 1, cells: 1 });
    const shown = await client().studies.get({ studyId: study.id });
    expect(shown).toMatchObject({ trainedSeconds: 12, remainingSeconds: null });
    expect(shown.grid).toMatchObject([{ runId: run.id, score: 0.7 }]);
    expect(shown.command).toMatch(/^decon study --name 'first again' --fractions 100% /);

    const { placeId } = workspace.places.add(folder.path);
    const { files } = await client().studies.report({ studyId: study.id, inPlaceId: placeId });
    expect(files.map(({ name }) => name)).toEqual(['first.html', 'first.md', 'first.json']);
    const page = readFileSync(join(folder.path, 'first.html'), 'utf8');
    expect(page).toContain('<svg');
    expect(page).toContain('decon study');
    expect(page).not.toContain('<script');
  });
});

describe('finetunings', () => {
  it('lists models, opens a cell of the confusion matrix and keeps answers', async () => {
    const [good, bad] = [90, 60].map((right) => {
      const { id } = createFinetuning(project, { steps: 1 });
      finish(id, right);
      return id;
    });
    const [newest, oldest] = await client().finetunings.list();
    expect(newest).toMatchObject({ runId: bad, isOffered: false, hasModel: true, bytes: 7 });
    expect(oldest).toMatchObject({ runId: good, isOffered: true });

    const runId = good ?? '';
    const query = { runId, part: 'test', metric: 'meanIou', order: 'worst' } as const;
    const page = { show: 'all', rightFrom: 0.5, offset: 0, limit: 10 } as const;
    const cell = { truth: 0, predicted: 1 };
    const { images } = await client().finetunings.images({ ...query, ...page, cell });
    expect(images.map(({ cellPixels }) => cellPixels)).toEqual([11, 10]);
    const imageId = images[0]?.imageId ?? '';
    await client().finetunings.decide({ imageId, runId, answer: 'label' });
    const again = await client().finetunings.images({ ...query, ...page });
    expect(again.images.find((image) => image.imageId === imageId)?.answer).toBe('label');

    const detail = await client().finetunings.get({ runId });
    expect(detail.test?.classes.map(({ name }) => name)).toEqual(['ground', 'cell']);
    expect(detail.test?.images).toBe(2);
    const both = { imageId, runIds: [runId, bad ?? ''] };
    expect(await client().finetunings.imageScores(both)).toHaveLength(2);
  });
});
