import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fractionOfImages, fractionSubset } from '../../../src-main/datasets/fractions.ts';
import { bestRun } from '../../../src-main/finetune/best-run.ts';
import { parseFinetuneConfig } from '../../../src-main/finetune/config.ts';
import { createFinetuning } from '../../../src-main/finetune/create-run.ts';
import { decide, readDecisions } from '../../../src-main/finetune/decisions.ts';
import { studyPlan } from '../../../src-main/finetune/study-plan.ts';
import { differing } from '../../../src-main/inference/prediction-picture.ts';
import type { Project } from '../../../src-main/project/project.ts';
import { TemporaryFolder } from '../datasets/sample-files.ts';
import { labelledProject } from './labelled-project.ts';

let folder: TemporaryFolder;
let project: Project;

beforeEach(async () => {
  folder = new TemporaryFolder();
  project = await labelledProject(folder);
});

afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

describe('studyPlan', () => {
  const finetune = parseFinetuneConfig({ steps: 100 });
  const request = { finetune, starts: ['random', 'encoder'], seeds: [0, 1, 2] };

  it('counts trainings and images, and says that its time is a guess', () => {
    const plan = studyPlan(project, { ...request, fractions: [0.25, 1] });
    expect(plan.trainings).toBe(2 * 2 * 3);
    expect(plan.shares.map(({ images }) => images)).toEqual([2, 8]);
    expect(plan.heldOut).toEqual({ part: 'test', images: 2, groups: 2 });
    expect(plan.basis).toBe('rough');
    expect(plan.seconds[0]).toBeLessThan(plan.seconds[1]);
    expect(plan.memoryBytes).toBeGreaterThan(3e8);
    expect(plan.problems).toEqual([]);
  });

  it('says what cannot be concluded', () => {
    const once = studyPlan(project, { ...request, fractions: [0.01], seeds: [0] });
    const words = once.limits.join(' ');
    expect(words).toContain('One repetition cannot tell');
    expect(words).toContain('Only 2 held-out images');
  });

  it('measures on earlier trainings once there is one', () => {
    const run = createFinetuning(project, { steps: 100 });
    project.runs.setStatus(run.id, 'running');
    project.runs.setResult(run.id, resultOf(0.5));
    project.runs.setStatus(run.id, 'done');
    const plan = studyPlan(project, { ...request, fractions: [1] });
    expect(plan.basis).toBe('measured');
    expect(plan.secondsEach[0]).toBeLessThan(48); // 40 s of steps, and what is around them
    expect(plan.secondsEach[1]).toBeGreaterThan(48);
  });

  it('refuses without labels', () => {
    project.images.setSplits(new Map(project.images.list().map(({ id }) => [id, 'unlabelled'])));
    const { problems } = studyPlan(project, { ...request, fractions: [1] });
    expect(problems.join(' ')).toContain('Label at least 4 training images');
  });
});

describe('a number of images', () => {
  it('becomes the share that gives just as many', () => {
    for (const images of [1, 3, 5, 8]) {
      const fraction = fractionOfImages(images, 8);
      expect(fractionSubset(project, fraction, 0)).toHaveLength(images);
    }
    expect(fractionOfImages(50, 8)).toBe(1);
  });
});

describe('bestRun', () => {
  it('is the best on validation images, never a newer worse one or one without weights', () => {
    const [good, worse, gone] = [0.7, 0.6, 0.9].map((score) => {
      const run = createFinetuning(project, { steps: 1 });
      project.runs.setResult(run.id, resultOf(score));
      return run.id;
    });
    for (const runId of [good, worse]) {
      const file = { runId: runId ?? '', kind: 'final', step: 1, file: 'x', bytes: 1 } as const;
      project.checkpoints.put({ ...file, sha256: 'x' });
    }
    expect(bestRun(project)?.id).toBe(good);
    expect(bestRun(project)?.id).not.toBe(gone);
  });
});

describe('decisions', () => {
  it('keeps the answer about an image until it is taken back', () => {
    decide(project, 'a', { answer: 'label', runId: 'r', at: 1 });
    decide(project, 'b', { answer: 'model', runId: 'r', at: 2 });
    expect(Object.keys(readDecisions(project))).toEqual(['a', 'b']);
    decide(project, 'a', null);
    expect(readDecisions(project)).toEqual({ b: { answer: 'model', runId: 'r', at: 2 } });
  });
});

describe('differing', () => {
  it('marks pixels of another class, at the size of the label, and never ignored ones', () => {
    const prediction = { data: Uint8Array.of(0, 1), widthPx: 2, heightPx: 1 };
    const labels = Uint8Array.of(0, 1, 255, 1, 0, 0, 1, 1);
    const size = { widthPx: 4, heightPx: 2 };
    expect([...differing(prediction, labels, size)]).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
  });
});

function resultOf(score: number) {
  const scores = { classes: [], meanIou: score, meanDice: score, pixelAccuracy: score };
  const val = { scores, confusion: [] };
  const length = { servedStep: 100, steps: 100, trainedSeconds: 40, trainImages: 8 };
  return { ...length, val, test: null, imageScores: 'x' };
}
