import type { Project } from '../project/project.ts';
import type { StudyCell } from '../project/studies.ts';
import { parseFinetuneConfig } from './config.ts';
import { type Seconds, trainingTime } from './cost.ts';
import { heldOutPart } from './study-plan.ts';
import { studyInputSchema } from './study.ts';
import * as v from 'valibot';

/** How far apart trainings of the same length usually are. */
const spread = [0.9, 1.2] as const;

/**
 * How long the trainings that are left of a study will take, as a range. After the first it is what
 * the finished ones took; before, what the plan said.
 */
export function studyRemaining(project: Project, studyId: string): Seconds {
  const cells = project.studies.cells(studyId);
  const left = cells.filter(({ status }) => status !== 'done');
  const begun = left.reduce((sum, cell) => sum + shareDone(project, cell), 0);
  const count = left.length - begun;
  const done = cells.flatMap(({ scores }) => {
    const seconds = scores?.['seconds'];
    return typeof seconds === 'number' ? [seconds] : [];
  });
  if (done.length === 0) {
    const [low, high] = plannedEach(project, studyId);
    return [count * low, count * high];
  }
  const mean = done.reduce((sum, seconds) => sum + seconds, 0) / done.length;
  return [count * Math.min(mean * spread[0], ...done), count * Math.max(mean * spread[1], ...done)];
}

/** How much of a training that was begun is behind it, 0 to 1. */
function shareDone(project: Project, { runId }: StudyCell): number {
  const run = runId === null ? undefined : project.runs.get(runId);
  if (run === undefined || run.totalSteps === null || run.totalSteps === 0) return 0;
  return Math.min(1, run.step / run.totalSteps);
}

function plannedEach(project: Project, studyId: string): Seconds {
  const config = v.parse(studyInputSchema, project.studies.get(studyId)?.config);
  const finetune = parseFinetuneConfig(config.finetune);
  const validation = project.images.count({ split: 'val', status: 'usable', hasMask: true });
  return trainingTime(project, finetune, heldOutPart(project).images + validation).seconds;
}
