import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { extendSettings } from '../pretrain/run-settings.ts';
import { totalSteps } from '../pretrain/schedules.ts';
import type { JobRow, NewJob } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { activeJobOf, interruptLostJobs } from './states.ts';

/** How much longer a run shall train. */
export type Extension =
  | { readonly type: 'steps'; readonly steps: number }
  /** Turned into steps at the pace measured so far. */
  | { readonly type: 'seconds'; readonly seconds: number };

const pollMs = 250;

/**
 * The job that continues a run exactly where its last checkpoint stands, with the settings and on
 * the device that are stored with the run. Only its length may change. A stopped run has steps left,
 * so it can be continued too.
 * @throws AppError `runs.running`, `runs.finished`, `runs.not-extendable`, `runs.unknown-pace`
 */
export function prepareResume(project: Project, run: RunRow, extension?: Extension): NewJob {
  if (activeJobOf(project, run.id) !== undefined) {
    throw new AppError('runs.running', `${run.name} is running. Pause it first.`);
  }
  if (extension !== undefined) extend(project, run, extension);
  else if (run.status === 'done' && run.step >= (run.totalSteps ?? 0)) {
    throw new AppError('runs.finished', `${run.name} is finished. Extend it to train it longer.`);
  }
  const last = project.jobs.list({ runId: run.id }).at(-1);
  return { type: run.kind, runId: run.id, options: last?.options ?? {} };
}

/**
 * Waits while another process works on a run, e.g. one that pauses because its starter was killed.
 * @returns false when it still works after `timeoutMs`
 */
export async function untilIdle(
  project: Project,
  isActive: () => boolean,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<boolean> {
  const end = performance.now() + options.timeoutMs;
  while (isActive()) {
    throwIfCancelled(options.signal);
    if (performance.now() > end) return false;
    await sleep(pollMs);
    interruptLostJobs(project);
  }
  return true;
}

/**
 * Adds a cycle of its own (warm-up and cosine) after the steps that the run has. Nothing that was
 * or will be done before it changes, so the run stays exactly repeatable.
 */
function extend(project: Project, run: RunRow, extension: Extension): void {
  if (run.kind !== 'pretrain') {
    throw new AppError(
      'runs.not-extendable',
      `${run.name} is a fine-tuning: its learning rate falls to zero over a fixed number of steps, ` +
        'and more steps would change those already done. Start a new one with more steps.',
    );
  }
  const steps =
    extension.type === 'steps'
      ? extension.steps
      : Math.max(1, Math.round(extension.seconds / secondsPerStep(project, run)));
  const config = extendSettings(run.config, steps);
  project.transaction(() => {
    project.runs.setConfig(run.id, config);
    project.runs.setProgress(run.id, run.step, totalSteps(config));
  });
}

/** The usual time of a step: the median over the last logged ones, in seconds. */
function secondsPerStep(project: Project, run: RunRow): number {
  const logged = project.runMetrics.list(run.id).slice(-50);
  const paces = logged.slice(1).flatMap((row, i) => {
    const before = logged[i];
    return before === undefined ? [] : [(row.at - before.at) / 1000 / (row.step - before.step)];
  });
  const median = paces.sort((a, b) => a - b)[Math.floor(paces.length / 2)];
  if (median !== undefined && median > 0) return median;
  throw new AppError(
    'runs.unknown-pace',
    `${run.name} has not run long enough to tell how fast it is. Give the number of steps instead.`,
  );
}

/** The running job of a study. */
export function activeJobOfStudy(project: Project, studyId: string): JobRow | undefined {
  return project.jobs.list({ status: 'running' }).find((job) => job.studyId === studyId);
}
