import type { JobRow } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import { now, type JsonObject, type Status, type StoredError } from '../project/values.ts';
import { isAlive, ownIdentity } from './process-identity.ts';

/** How a job can end. */
export type FinalStatus = Exclude<Status, 'queued' | 'running'>;

export interface JobOutcome {
  readonly status: FinalStatus;
  readonly error: StoredError | null;
  readonly result: JsonObject | null;
}

/** A job without a sign of life for this long is called "not responding". */
export const silentAfterMs = 60_000;

/** queued -> running, by the job's own process. */
export function markRunning(project: Project, job: JobRow): void {
  project.transaction(() => {
    project.jobs.update(job.id, {
      ...ownIdentity(),
      status: 'running',
      startedAt: now(),
      heartbeatAt: now(),
    });
    if (job.runId !== null) project.runs.setStatus(job.runId, 'running');
  });
}

/** queued or running -> a final state, for the job and its run. */
export function markFinished(project: Project, jobId: string, outcome: JobOutcome): void {
  project.transaction(() => {
    const job = project.jobs.get(jobId);
    if (job === undefined || !isOpen(job)) return;
    const { status, error, result } = outcome;
    project.jobs.update(jobId, { status, error, result, finishedAt: now() });
    if (job.runId !== null) project.runs.setStatus(job.runId, status);
    if (job.studyId !== null && status !== 'done') interruptCells(project, job.studyId);
  });
}

/**
 * Jobs whose process is gone become interrupted; they can be continued. Called whenever a project is
 * opened to work with it.
 */
export function interruptLostJobs(project: Project): JobRow[] {
  const lost = project.jobs.list({ status: 'running' }).filter((job) => !hasProcess(job));
  for (const job of lost) {
    markFinished(project, job.id, {
      status: 'interrupted',
      result: null,
      error: {
        code: 'job.interrupted',
        message: 'The program or the computer stopped while this was running. It can be continued.',
      },
    });
  }
  return lost;
}

/** The job that works on a run at this moment. */
export function activeJobOf(project: Project, runId: string): JobRow | undefined {
  return project.jobs.list({ runId, status: 'running' }).find(hasProcess);
}

/** `not responding` when a running job's last sign of life is too old. */
export function stateInWords(job: JobRow, nowMs: number = now()): string {
  const isSilent = job.status === 'running' && nowMs - (job.heartbeatAt ?? nowMs) > silentAfterMs;
  return isSilent ? 'not responding' : job.status;
}

/** Whether a job, or the run it works on, waits or works. */
export function isOpen({ status }: { readonly status: Status }): boolean {
  return status === 'queued' || status === 'running';
}

function hasProcess(job: JobRow): boolean {
  return job.pid !== null && isAlive({ pid: job.pid, pidStarted: job.pidStarted ?? '' });
}

/** A study trains its runs inside its own process, so they end when it does. */
function interruptCells(project: Project, studyId: string): void {
  for (const cell of project.studies.cells(studyId)) {
    if (cell.status !== 'running') continue;
    project.studies.setCell({ ...cell, status: 'interrupted' });
    if (cell.runId !== null) project.runs.setStatus(cell.runId, 'interrupted');
  }
}
