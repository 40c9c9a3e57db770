import * as v from 'valibot';
import type { LevelHealth, RunDetails, RunSummary } from '../../contract/runs.ts';
import { prepareResume, type Extension } from '../../jobs/continuation.ts';
import { deleteWeights, renameRun, weightBytes } from '../../jobs/run-care.ts';
import { isOpen } from '../../jobs/states.ts';
import { AppError } from '../../lib/errors.ts';
import { readRunSlots } from '../../inference/slot-record.ts';
import { healthFromMetrics, verdictFromMetrics } from '../../pretrain/health.ts';
import { levelTitle } from '../../pretrain/level-titles.ts';
import { readRunSettings } from '../../pretrain/run-settings.ts';
import type { Project } from '../../project/project.ts';
import type { RunRow } from '../../project/runs.ts';
import { RunCurves } from '../run-curves.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

const shownNotices = 100;

/** The runs of the project: their lists, curves and pictures, and what can be done with them. */
export function runsService(workspace: Workspace) {
  const procedures = implementation.runs;
  const curves = new RunCurves();
  const goOn = (runId: string, extension?: Extension): { readonly jobId: string } => {
    const { project, queue, changes } = workspace;
    const job = queue.add(prepareResume(project, requireRun(project, runId), extension));
    changes.touch('runs', 'project');
    return { jobId: job.id };
  };
  return {
    list: procedures.list.handler(({ input }) =>
      workspace.project.runs
        .list(input.kind)
        .toReversed()
        .map((run) => summaryOf(workspace.project, run)),
    ),
    get: procedures.get.handler(({ input }) => {
      const { project } = workspace;
      return detailsOf(project, requireRun(project, input.runId));
    }),
    metrics: procedures.metrics.handler(({ input }) =>
      curves.read(workspace.project, requireRun(workspace.project, input.runId).id, input),
    ),
    slots: procedures.slots.handler(({ input }) => {
      const { project } = workspace;
      return readRunSlots(project, requireRun(project, input.runId).id);
    }),
    resume: procedures.resume.handler(({ input }) => goOn(input.runId)),
    extend: procedures.extend.handler(({ input }) => goOn(input.runId, input.by)),
    rename: procedures.rename.handler(({ input }) => {
      const { project, changes } = workspace;
      renameRun(project, requireRun(project, input.runId), input.name.trim());
      changes.touch('runs', 'models', 'studies');
    }),
    deleteWeights: procedures.deleteWeights.handler(({ input }) => {
      const { project, changes } = workspace;
      const freedBytes = deleteWeights(project, requireRun(project, input.runId));
      changes.touch('runs', 'models', 'project');
      return { freedBytes };
    }),
  };
}

/** @throws AppError `runs.missing` */
export function requireRun(project: Project, runId: string): RunRow {
  const run = project.runs.get(runId);
  if (run !== undefined) return run;
  throw new AppError('runs.missing', 'This run is no longer in the project.');
}

function summaryOf(project: Project, run: RunRow): RunSummary {
  const last = project.runMetrics.last(run.id);
  const parent = run.parentRunId === null ? undefined : project.runs.get(run.parentRunId);
  const trained = run.result?.['trainedSeconds'];
  return {
    id: run.id,
    kind: run.kind,
    name: run.name,
    status: run.status,
    step: run.step,
    totalSteps: run.totalSteps,
    loss: last?.values['loss.total'] ?? last?.values['loss'] ?? null,
    health: last === undefined ? null : (verdictFromMetrics(last.values) ?? null),
    trainedSeconds: typeof trained === 'number' ? trained : null,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    parent: parent?.name ?? null,
    weightBytes: weightBytes(project, run.id),
    isResumable: project.checkpoints.get(run.id, 'latest') !== undefined,
  };
}

function detailsOf(project: Project, run: RunRow): RunDetails {
  const job = project.jobs.list({ runId: run.id }).at(-1);
  return {
    ...summaryOf(project, run),
    ...methodFacts(project, run),
    device: deviceSentence(run),
    served: servedSentence(project, run),
    settings: settingsAsText(run.config),
    notices: project.runNotices.list(run.id).slice(-shownNotices),
    error: job?.status === run.status ? job.error : null,
  };
}

/** What only a pre-training has: health of its levels, and how often it saw every tile. */
function methodFacts(project: Project, run: RunRow): Pick<RunDetails, 'levels' | 'epoch'> {
  const settings = run.kind === 'pretrain' ? readRunSettings(run.config) : undefined;
  if (settings?.type !== 'resolved') return { levels: [], epoch: null };
  const { config } = settings;
  const last = project.runMetrics.last(run.id);
  const isSettled = run.step >= config.warmupSteps;
  const levels = last === undefined ? [] : healthFromMetrics(last.values, config.dim, isSettled);
  return {
    levels: levels.map(
      ({ level, verdict, remedy, effectiveRank, featureDeviation, ...rest }): LevelHealth => ({
        level: levelTitle(config, level),
        verdict,
        remedy: remedy ?? '',
        effectiveRank,
        featureDeviation,
        prototypeEntropy: clamped(rest.prototypeEntropy),
        agreement: clamped(rest.agreement),
      }),
    ),
    epoch: last?.values['epoch'] ?? null,
  };
}

function clamped(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function deviceSentence({ device }: RunRow): string {
  const stored = v.safeParse(v.object({ message: v.string() }), device);
  return stored.success ? stored.output.message : '';
}

function servedSentence(project: Project, run: RunRow): string {
  const model = project.checkpoints.get(run.id, 'final');
  if (model !== undefined) {
    return `The weights of step ${model.step.toLocaleString('en-US')} are used by Study and Use.`;
  }
  if (isOpen(run)) {
    return 'Weights can be used as soon as it is paused, stopped or done.';
  }
  const latest = project.checkpoints.get(run.id, 'latest');
  return latest === undefined
    ? 'There are no weights on the disk; the record of the run is kept.'
    : `Nothing can be used yet. It can be continued from step ${latest.step.toLocaleString('en-US')}.`;
}

function settingsAsText(config: RunRow['config']): RunDetails['settings'] {
  return Object.entries(config).map(([name, value]) => ({
    name,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
}
