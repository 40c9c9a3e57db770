import * as v from 'valibot';
import type {
  Finetuning,
  FinetuningDetail,
  PartResult,
  ScoredImage,
} from '../../contract/finetunings.ts';
import { bestRun } from '../../finetune/best-run.ts';
import { parseFinetuneConfig } from '../../finetune/config.ts';
import { decide, readDecisions, type Decisions } from '../../finetune/decisions.ts';
import { type ImageScore, imageScore, listImages } from '../../finetune/image-list.ts';
import { type ImageScores, readImageScores } from '../../finetune/image-scores.ts';
import { finetuneResultSchema, type FinetuneResult } from '../../finetune/result.ts';
import { AppError } from '../../lib/errors.ts';
import type { Project } from '../../project/project.ts';
import type { RunRow } from '../../project/runs.ts';
import { now } from '../../project/values.ts';
import { imageVersion } from '../pictures/versions.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

export function finetuningsService(workspace: Workspace) {
  const procedures = implementation.finetunings;
  return {
    list: procedures.list.handler(() => listOf(workspace.project)),
    get: procedures.get.handler(({ input }) => detailOf(workspace.project, input.runId)),
    images: procedures.images.handler(
      ({ input: { runId, part, offset, limit, cell, ...query } }) => {
        const { project } = workspace;
        const scores = scoresOf(project, requireFinetuning(project, runId))[part];
        const { images, right, wrong } = listImages(scores, {
          ...query,
          ...(cell === undefined ? {} : { cell }),
        });
        const decisions = readDecisions(project);
        return {
          total: images.length,
          right,
          wrong,
          images: images
            .slice(offset, offset + limit)
            .flatMap((image) => scoredImage(project, image, decisions)),
        };
      },
    ),
    imageScores: procedures.imageScores.handler(({ input: { imageId, runIds } }) =>
      runIds.flatMap((runId) => {
        const { project } = workspace;
        const { val, test } = scoresOf(project, requireFinetuning(project, runId));
        const image = [...test, ...val].find((candidate) => candidate.imageId === imageId);
        if (image === undefined) return [];
        const { meanIou, meanDice, wrongShare } = imageScore(image);
        return [{ runId, meanIou, meanDice, wrongShare }];
      }),
    ),
    decide: procedures.decide.handler(({ input: { imageId, runId, answer } }) => {
      const { project } = workspace;
      requireFinetuning(project, runId);
      decide(project, imageId, answer === null ? null : { answer, runId, at: now() });
      workspace.changes.touch('studies', 'labels');
    }),
  };
}

/** @throws AppError `runs.missing` */
export function requireFinetuning(project: Project, runId: string): RunRow {
  const run = project.runs.get(runId);
  if (run?.kind === 'finetune') return run;
  throw new AppError('runs.missing', 'This model is no longer in the project. Go back to Study.');
}

function listOf(project: Project): Finetuning[] {
  const facts = listFacts(project);
  return project.runs
    .list('finetune')
    .toReversed()
    .map((run) => summaryOf(project, run, facts));
}

interface ListFacts {
  readonly offeredId: string | undefined;
  readonly studyOf: ReadonlyMap<string, NonNullable<Finetuning['study']>>;
}

function listFacts(project: Project): ListFacts {
  const studyOf = new Map<string, NonNullable<Finetuning['study']>>();
  for (const { id, name } of project.studies.list()) {
    for (const { runId } of project.studies.cells(id)) {
      if (runId !== null) studyOf.set(runId, { studyId: id, name });
    }
  }
  return { offeredId: bestRun(project)?.id, studyOf };
}

function summaryOf(project: Project, run: RunRow, { offeredId, studyOf }: ListFacts): Finetuning {
  const { fraction } = parseFinetuneConfig(run.config);
  const result = resultOf(run);
  const parent = run.parentRunId === null ? undefined : project.runs.get(run.parentRunId);
  const files = new Map(project.checkpoints.list(run.id).map(({ file, bytes }) => [file, bytes]));
  return {
    runId: run.id,
    name: run.name,
    status: run.status,
    start: run.start,
    share: fraction,
    seed: run.seed,
    parent: parent === undefined ? null : { runId: parent.id, name: parent.name },
    study: studyOf.get(run.id) ?? null,
    createdAt: run.createdAt,
    finishedAt: run.finishedAt,
    step: run.step,
    totalSteps: run.totalSteps,
    trainImages: result?.trainImages ?? null,
    valIou: result?.val?.scores.meanIou ?? null,
    testIou: result?.test?.scores.meanIou ?? null,
    testDice: result?.test?.scores.meanDice ?? null,
    bytes: [...files.values()].reduce((sum, bytes) => sum + bytes, 0),
    hasModel: result !== undefined && project.checkpoints.get(run.id, 'final') !== undefined,
    isOffered: run.id === offeredId,
  };
}

const deviceSchema = v.object({ message: v.string() });

function detailOf(project: Project, runId: string): FinetuningDetail {
  const run = requireFinetuning(project, runId);
  const result = resultOf(run);
  const device = v.safeParse(deviceSchema, run.device);
  const counts = result === undefined ? { val: [], test: [] } : scoresOf(project, run);
  return {
    ...summaryOf(project, run, listFacts(project)),
    servedStep: result?.servedStep ?? null,
    trainedSeconds: result?.trainedSeconds ?? null,
    device: device.success ? device.output.message : null,
    val: partOf(project, result?.val ?? null, counts.val.length),
    test: partOf(project, result?.test ?? null, counts.test.length),
    notices: project.runNotices.list(runId).map(({ message }) => message),
  };
}

function partOf(
  project: Project,
  evaluation: FinetuneResult['test'],
  images: number,
): PartResult | null {
  if (evaluation === null) return null;
  const { scores, confusion } = evaluation;
  const classes = project.classes.list();
  return {
    images,
    meanIou: scores.meanIou,
    meanDice: scores.meanDice,
    pixelAccuracy: scores.pixelAccuracy,
    classes: scores.classes.map((score, index) => {
      const known = classes.find(({ classIndex }) => classIndex === index);
      return { name: known?.name ?? `Class ${index}`, color: known?.color ?? '#808080', ...score };
    }),
    confusion,
  };
}

/** The stored result of a run; undefined before it is finished. */
function resultOf(run: RunRow): FinetuneResult | undefined {
  const result = v.safeParse(finetuneResultSchema, run.result);
  return result.success ? result.output : undefined;
}

/** @throws AppError `runs.no-result`, `runs.no-image-scores` */
function scoresOf(project: Project, run: RunRow): ImageScores {
  const result = resultOf(run);
  if (result !== undefined) return readImageScores(project.path(result.imageScores));
  throw new AppError('runs.no-result', `${run.name} is not finished; it has no scores yet.`);
}

/** None when the image has left the project since. */
function scoredImage(
  project: Project,
  score: ImageScore,
  decisions: Decisions,
): readonly ScoredImage[] {
  const image = project.images.get(score.imageId);
  if (image === undefined) return [];
  const { relPath, widthPx, heightPx } = image;
  const answer = decisions[score.imageId]?.answer ?? null;
  return [{ ...score, name: relPath, widthPx, heightPx, version: imageVersion(image), answer }];
}
