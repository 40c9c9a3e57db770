import { AppError, CancelledError } from '../lib/errors.ts';
import { startJob } from '../jobs/runner.ts';
import type { JobOutcome } from '../jobs/states.ts';
import type { NewJob } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import { BugError, type Output } from './output.ts';
import { watchingSignals } from './signals.ts';

/**
 * Queues a job and runs it to its end, showing its progress. Ctrl-C cancels cooperatively.
 * @returns the outcome of a job that is done or paused
 * @throws AppError when it failed, CancelledError, BugError when it fell over
 */
export async function runJob(
  project: Project,
  newJob: NewJob,
  output: Output,
): Promise<JobOutcome> {
  const job = project.jobs.create(newJob);
  const running = startJob(project, job.id, {
    onEvent: (event) => {
      switch (event.type) {
        case 'progress':
          return output.progress(event.progress);
        case 'log':
          return output.notice(event.message);
        case 'silent':
          return output.notice('No sign of life for a minute; still waiting.');
        case 'responding':
          return output.notice('It responds again.');
      }
    },
  });
  const cancel = (): void => {
    output.notice('Cancelling...');
    running.ask('cancel');
  };
  return succeeded(await watchingSignals(cancel, () => running.outcome));
}

function succeeded(outcome: JobOutcome): JobOutcome {
  if (outcome.status === 'done' || outcome.status === 'paused') return outcome;
  if (outcome.status === 'cancelled') throw new CancelledError();
  const { code, message } = outcome.error ?? { code: 'internal', message: 'The job failed.' };
  if (code === 'internal' || code === 'job.crashed') throw new BugError(message);
  throw new AppError(code, message);
}
