import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { importImages } from '../../../src-main/datasets/import.ts';
import { startJob } from '../../../src-main/jobs/runner.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { sample, TemporaryFolder } from '../datasets/sample-files.ts';

let folder: TemporaryFolder;
let project: Project;

beforeEach(async () => {
  folder = new TemporaryFolder();
  project = createProject(join(folder.path, 'Test.decon'));
  for (let i = 0; i < 4; i++) {
    folder.write(`images/${i}.png`, await sample(40, 30, i).png().toBuffer());
  }
  await importImages(project, { imagesPath: join(folder.path, 'images') });
});

afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

test('suggestions are made in a process of their own', async () => {
  const { id } = project.jobs.create({ type: 'suggest', options: { strategy: 'auto' } });
  const { outcome } = startJob(project, id);
  expect(await outcome).toMatchObject({
    status: 'done',
    result: { strategy: 'spread', looked: 4, unlabelled: 4, suggested: 4 },
  });
  expect(project.labelSuggestions.count()).toBe(4);
});

test('a proposal by a run without a model says what to do', async () => {
  const run = project.runs.create({ kind: 'finetune', config: {}, seed: 0, start: 'random' });
  const options = { runId: run.id, images: { type: 'next', count: 2 } };
  const { id } = project.jobs.create({ type: 'propose', options });
  const { outcome } = startJob(project, id);
  expect(await outcome).toMatchObject({ status: 'failed', error: { code: 'runs.no-model' } });
});
