import { CancelledError, defined } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import type { JobRow, JobType } from '../project/jobs.ts';
import { openProject, type Project } from '../project/project.ts';
import type { JsonObject } from '../project/values.ts';
import { createControl, type JobControl } from './control.ts';
import { describeFailure } from './failures.ts';
import { parseToJob, type FromJob, type ToJob } from './messages.ts';
import { markFinished, markRunning, type JobOutcome } from './states.ts';

/** Does the work of one type of job; what it returns is stored as the job's result. */
export type JobHandler = (
  project: Project,
  job: JobRow,
  control: RunControl,
) => Promise<JsonObject | undefined>;

export type JobHandlers = Readonly<Record<JobType, JobHandler>>;

/** The whole life of a job's process: ready, start, work, outcome, exit. */
export function serveJob(handlers: JobHandlers): void {
  let control: JobControl | undefined;
  // Ctrl-C reaches every process of a terminal; whoever started the job decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('message', (message) => {
    const command = parseToJob(message);
    if (command.type !== 'start') return control?.ask(command.type);
    work(command, handlers, (made) => (control = made))
      .catch((error: unknown) => send({ type: 'failed', error: describeFailure(error) }))
      .then(
        () => process.exit(),
        () => process.exit(1),
      );
  });
  void send({ type: 'ready' });
}

async function work(
  start: Extract<ToJob, { type: 'start' }>,
  handlers: JobHandlers,
  onControl: (control: JobControl) => void,
): Promise<void> {
  const project = openProject(start.projectDir, { migrate: false });
  try {
    const job = defined(project.jobs.get(start.jobId), 'job');
    markRunning(project, job);
    const control = createControl(project, job, (message) => void send(message));
    onControl(control);
    const outcome = await outcomeOf(handlers[job.type], project, job, control);
    control.dispose();
    markFinished(project, job.id, outcome);
    await send(
      outcome.error === null ? { type: 'done' } : { type: 'failed', error: outcome.error },
    );
  } finally {
    project.dispose();
  }
}

async function outcomeOf(
  handler: JobHandler,
  project: Project,
  job: JobRow,
  control: JobControl,
): Promise<JobOutcome> {
  try {
    const result = (await handler(project, job, control)) ?? null;
    const isPaused = control.wasPaused() && !isComplete(project, job);
    return { status: isPaused ? 'paused' : 'done', error: null, result };
  } catch (error) {
    if (error instanceof CancelledError) return { status: 'cancelled', error: null, result: null };
    return { status: 'failed', error: describeFailure(error), result: null };
  }
}

/** A run may reach its last step just when it is asked to pause. */
function isComplete(project: Project, job: JobRow): boolean {
  const run = job.runId === null ? undefined : project.runs.get(job.runId);
  return run !== undefined && run.totalSteps !== null && run.step >= run.totalSteps;
}

/** Resolves when the message left; a starter that is gone is no reason to fail. */
function send(message: FromJob): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, undefined, undefined, () => resolve());
  });
}
