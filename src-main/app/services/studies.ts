import { join } from 'node:path';
import * as v from 'valibot';
import type {
  Study,
  StudyInput,
  StudyOptions,
  StudyPlan,
  StudyResult,
  StudySummary,
  TrainingInput,
} from '../../contract/studies.ts';
import type { Place, Status } from '../../contract/values.ts';
import { labelledTrainingItems, nestedSubset } from '../../datasets/fractions.ts';
import { parseFinetuneConfig } from '../../finetune/config.ts';
import { createFinetuning, resolveFinetuneSettings } from '../../finetune/create-run.ts';
import type { Estimate } from '../../finetune/intervals.ts';
import { studyCommand } from '../../finetune/study-command.ts';
import { heldOutPart, studyPlan } from '../../finetune/study-plan.ts';
import { studyReport } from '../../finetune/study-report.ts';
import {
  studyResultSchema,
  type StudyResult as StoredResult,
} from '../../finetune/study-result.ts';
import { studyMarkdown } from '../../finetune/study-text.ts';
import { studyRemaining } from '../../finetune/study-time.ts';
import { openStudy, studyConfig, studyInputSchema } from '../../finetune/study.ts';
import { AppError } from '../../lib/errors.ts';
import { writeFileAtomic } from '../../lib/files.ts';
import { NETWORK_ENTRIES } from '../../nn/config.ts';
import type { Project } from '../../project/project.ts';
import type { StudyCell, StudyRow } from '../../project/studies.ts';
import type { Workspace } from '../workspace.ts';
import { studySettings, trainingSettings } from '../study-input.ts';
import { implementation } from './base.ts';

const jobOptions = { device: 'auto' } as const;
const usualShares = [0.05, 0.1, 0.25, 1];

export function studiesService(workspace: Workspace) {
  const procedures = implementation.studies;
  const plannedStudy = (input: StudyInput): StudyPlan =>
    planOf(workspace.project, studyConfig(workspace.project, studySettings(workspace, input)));
  return {
    options: procedures.options.handler(() => optionsOf(workspace.project)),
    plan: procedures.plan.handler(({ input }) => plannedStudy(input)),
    list: procedures.list.handler(() =>
      workspace.project.studies
        .list()
        .toReversed()
        .map((study) => summaryOf(workspace.project, study)),
    ),
    get: procedures.get.handler(({ input }) => {
      const { project } = workspace;
      return detailOf(project, requireStudy(project, input.studyId));
    }),
    start: procedures.start.handler(({ input: { name, ...input } }) => {
      requireNoProblem(plannedStudy(input));
      const { project, queue } = workspace;
      const study = openStudy(project, name ?? freeName(project), studySettings(workspace, input));
      const job = queue.add({ type: 'study', studyId: study.id, options: jobOptions });
      workspace.changes.touch('studies', 'runs', 'project');
      return { studyId: study.id, jobId: job.id };
    }),
    resume: procedures.resume.handler(({ input }) => {
      const { project, queue } = workspace;
      const { id } = requireStudy(project, input.studyId);
      requireIdle(project, id);
      const job = queue.add({ type: 'study', studyId: id, options: jobOptions });
      workspace.changes.touch('studies', 'project');
      return { jobId: job.id };
    }),
    report: procedures.report.handler(({ input }) => ({
      files: writeReport(workspace, input.studyId, workspace.places.pathOf(input.inPlaceId)),
    })),
    planTraining: procedures.planTraining.handler(({ input }) => plannedTraining(workspace, input)),
    startTraining: procedures.startTraining.handler(({ input: { name, ...input } }) => {
      requireNoProblem(plannedTraining(workspace, input));
      const { project, queue } = workspace;
      const run = createFinetuning(project, trainingSettings(workspace, input), name);
      const job = queue.add({ type: 'finetune', runId: run.id, options: jobOptions });
      workspace.changes.touch('runs', 'models', 'project');
      return { runId: run.id, jobId: job.id };
    }),
  };
}

function optionsOf(project: Project): StudyOptions {
  const items = labelledTrainingItems(project);
  const imagesOf = (share: number): number =>
    items.length === 0 ? 0 : nestedSubset(items, share, 0).length;
  const labelled = (split: 'train' | 'val' | 'test'): number =>
    project.images.count({ split, status: 'usable', hasMask: true });
  const network = v.object({
    encoder: NETWORK_ENTRIES.encoder,
    decoder: NETWORK_ENTRIES.decoder,
  });
  return {
    pretrainings: project.runs
      .list('pretrain')
      .filter(({ id }) => project.checkpoints.list(id).length > 0)
      .toReversed()
      .map(({ id, name, status, config, step, createdAt }) => {
        const { encoder, decoder } = v.parse(network, config);
        const named = typeof encoder === 'string' ? encoder : 'own encoder';
        return { runId: id, name, status, encoder: named, decoder, step, createdAt };
      }),
    labelled: { train: items.length, val: labelled('val'), test: labelled('test') },
    testGroups: heldOutPart(project).groups,
    classes: project.classes.list().map(({ name, color, classIndex }) => ({
      name,
      color,
      trainImages: items.filter(({ classes }) => classes.includes(classIndex)).length,
    })),
    shares: usualShares.map((share) => ({ share, images: imagesOf(share) })),
    fewestImages: imagesOf(Number.EPSILON),
  };
}

function planOf(
  project: Project,
  { finetune, fractions, starts, seeds }: ReturnType<typeof studyConfig>,
): StudyPlan {
  const config = parseFinetuneConfig(finetune);
  return worded(studyPlan(project, { finetune: config, fractions, starts, seeds }));
}

function plannedTraining(workspace: Workspace, input: TrainingInput): StudyPlan {
  const { project } = workspace;
  const finetune = resolveFinetuneSettings(project, trainingSettings(workspace, input));
  const request = { finetune, fractions: [finetune.fraction], starts: [input.start], seeds: [0] };
  return worded(studyPlan(project, request));
}

/** In the words of the contract. */
function worded({ shares, ...plan }: ReturnType<typeof studyPlan>): StudyPlan {
  return {
    ...plan,
    limits: [...plan.limits],
    problems: [...plan.problems],
    shares: shares.map(({ fraction, ...share }) => ({ share: fraction, ...share })),
  };
}

/** @throws AppError `studies.impossible` */
function requireNoProblem({ problems }: StudyPlan): void {
  if (problems.length > 0) throw new AppError('studies.impossible', problems.join(' '));
}

/** @throws AppError `studies.missing` */
function requireStudy(project: Project, studyId: string): StudyRow {
  const study = project.studies.get(studyId);
  if (study !== undefined) return study;
  throw new AppError('studies.missing', 'This study is no longer in the project.');
}

/** @throws AppError `studies.running` */
function requireIdle(project: Project, studyId: string): void {
  const isOpen = project.jobs
    .list()
    .some(({ studyId: of, status }) => of === studyId && ['queued', 'running'].includes(status));
  if (isOpen) throw new AppError('studies.running', 'This study is running already.');
}

function freeName(project: Project): string {
  for (let number = project.studies.list().length + 1; ; number++) {
    const name = `study-${number}`;
    if (project.studies.findByName(name) === undefined) return name;
  }
}

function summaryOf(project: Project, study: StudyRow): StudySummary {
  const { id, name, createdAt, config } = study;
  const cells = project.studies.cells(id);
  const { pretrainRun, fractions, starts, seeds, metric } = v.parse(studyInputSchema, config);
  const run = pretrainRun === undefined ? undefined : project.runs.get(pretrainRun);
  return {
    id,
    name,
    createdAt,
    status: statusOf(project, id, cells),
    cellsDone: cells.filter(({ status }) => status === 'done').length,
    cells: cells.length,
    shares: [...fractions],
    starts: [...starts],
    seeds: seeds.length,
    metric,
    pretraining: run === undefined ? null : { runId: run.id, name: run.name },
    verdict: resultOf(study)?.fractions[0]?.sentence ?? null,
  };
}

/** Done when every training is; else that of its newest job. */
function statusOf(project: Project, studyId: string, cells: readonly StudyCell[]): Status {
  if (cells.every(({ status }) => status === 'done')) return 'done';
  const job = project.jobs.list().findLast((candidate) => candidate.studyId === studyId);
  if (job === undefined) return 'interrupted';
  return job.status === 'done' ? 'paused' : job.status; // stopped, with trainings left
}

function detailOf(project: Project, study: StudyRow): Study {
  const summary = summaryOf(project, study);
  const cells = project.studies.cells(study.id);
  const result = resultOf(study);
  const grid = cells.map(({ fraction, start, seed, runId, status, scores }) => {
    const run = runId === null ? undefined : project.runs.get(runId);
    const score = scores?.[summary.metric];
    return {
      share: fraction,
      start,
      seed,
      runId,
      status,
      score: typeof score === 'number' ? score : null,
      step: run?.step ?? 0,
      totalSteps: run?.totalSteps ?? null,
    };
  });
  const seconds = cells.map(({ scores }) => Number(scores?.['seconds'] ?? 0));
  return {
    ...summary,
    grid,
    result: result === undefined ? null : shownResult(result),
    remainingSeconds: summary.status === 'done' ? null : studyRemaining(project, study.id),
    trainedSeconds: seconds.reduce((sum, value) => sum + value, 0),
    command: studyCommand(project, study),
  };
}

function resultOf({ result }: StudyRow): StoredResult | undefined {
  const parsed = v.safeParse(studyResultSchema, result);
  return parsed.success ? parsed.output : undefined;
}

function shownResult({ fractions, ...result }: StoredResult): StudyResult {
  return {
    ...result,
    shares: fractions.map(({ fraction, trainImages, starts, comparisons, sentence }) => ({
      share: fraction,
      trainImages,
      starts: starts.map(({ start, seeds, meanIou, meanDice }) => ({
        start,
        seeds: [...seeds],
        meanIou: copied(meanIou),
        meanDice: copied(meanDice),
      })),
      comparisons: comparisons.map(({ start, difference, verdict }) => ({
        start,
        difference: copied(difference),
        verdict,
      })),
      sentence,
    })),
  };
}

/** The contract's lists may be changed by whoever gets them. */
function copied({ mean, interval, perSeed }: Estimate) {
  return { mean, interval, perSeed: [...perSeed] };
}

/** @throws AppError `studies.no-result`, `disk.*` */
function writeReport(workspace: Workspace, studyId: string, folder: string): Place[] {
  const { project, places } = workspace;
  const study = requireStudy(project, studyId);
  const result = resultOf(study);
  if (result === undefined) {
    throw new AppError(
      'studies.no-result',
      'No training of this study is finished yet; there is nothing to report.',
    );
  }
  const files = {
    html: studyReport(project, study, result),
    md: studyMarkdown(study.name, result),
    json: `${JSON.stringify(result, null, 2)}\n`,
  };
  return Object.entries(files).map(([extension, text]) => {
    const path = join(folder, `${study.name}.${extension}`);
    writeFileAtomic(path, [new TextEncoder().encode(text)]);
    return places.add(path);
  });
}
