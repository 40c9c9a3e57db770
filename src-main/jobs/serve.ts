import { CancelledError, defined } from '../lib/errors.ts';
import { connectParent, type Parent } from '../lib/parent.ts';
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
  const parent = connectParent();
  let control: JobControl | undefined;
  parent.onMessage((message) => {
    const command = parseToJob(message);
    if (command.type !== 'start') return control?.ask(command.type);
    work(command, handlers, parent, (made) => (control = made))
      .catch((error: unknown) => tell(parent, { type: 'failed', error: describeFailure(error) }))
      .then(
        () => process.exit(),
        () => process.exit(1),
      );
  });
  void tell(parent, { type: 'ready' });
}

async function work(
  start: Extract<ToJob, { type: 'start' }>,
  handlers: JobHandlers,
  parent: Parent,
  onControl: (control: JobControl) => void,
): Promise<void> {
  const project = openProject(start.projectDir, { migrate: false });
  try {
    const job = defined(project.jobs.get(start.jobId), 'job');
    markRunning(project, job);
    const control = createControl(project, job, (message) => void tell(parent, message));
    onControl(control);
    const outcome = await outcomeOf(handlers[job.type], project, job, control);
    control.dispose();
    markFinished(project, job.id, outcome);
    await tell(
      parent,
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

function tell(parent: Parent, message: FromJob): Promise<void> {
  return parent.send(message);
}
