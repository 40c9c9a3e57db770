import { assertNever, defined } from '../lib/errors.ts';
import { programEntries } from '../lib/program-entries.ts';
import { startProcess } from '../lib/programs.ts';
import type { Progress } from '../lib/progress.ts';
import type { JobRequest, JobType } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import type { StoredError } from '../project/values.ts';
import { describeExit, memoryKills } from './failures.ts';
import { parseFromJob, type ToJob } from './messages.ts';
import { isOpen, markFinished, stateInWords, type JobOutcome } from './states.ts';

/** What a running job tells the one who started it. */
export type JobEvent =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'log'; readonly message: string }
  /** No sign of life for a minute; `responding` when there is one again. */
  | { readonly type: 'silent' }
  | { readonly type: 'responding' };

export interface RunningJob {
  readonly jobId: string;
  /** Settles when the process is gone; never rejects for what the job did. */
  readonly outcome: Promise<JobOutcome>;
  /** Cooperative; a cancelled job that does not end by itself is killed. */
  ask(request: Exclude<JobRequest, 'none'>): void;
}

export interface RunnerOptions {
  readonly onEvent?: (event: JobEvent) => void;
  /** The program of the job's process. */
  readonly entry?: URL;
  readonly killAfterMs?: number;
}

const trainingJobs: ReadonlySet<JobType> = new Set<JobType>([
  'pretrain',
  'finetune',
  'study',
  'calibrate',
]);

/** Starts the process of a queued job. */
export function startJob(project: Project, jobId: string, options: RunnerOptions = {}): RunningJob {
  const { onEvent = () => undefined, entry = programEntries.job, killAfterMs = 10_000 } = options;
  const killsBefore = memoryKills();
  let killTimer: NodeJS.Timeout | undefined;
  let failure: StoredError | undefined;
  const type = project.jobs.get(jobId)?.type;
  const keepsHeap = type !== undefined && trainingJobs.has(type);
  const child = startProcess<ToJob>({ entry, onMessage: receive, keepsHeap });
  function receive(raw: unknown): void {
    const message = parseFromJob(raw);
    switch (message.type) {
      case 'ready':
        return child.send({ type: 'start', projectDir: project.dir, jobId });
      case 'progress':
      case 'log':
        return onEvent(message);
      case 'failed':
        failure = message.error;
        return;
      case 'done':
        return;
      default:
        return assertNever(message);
    }
  }
  const stopWatching = watchHeartbeat(project, jobId, onEvent);
  return {
    jobId,
    outcome: child.exited.then((exit) => {
      clearTimeout(killTimer);
      stopWatching();
      return settle(project, jobId, () =>
        killTimer === undefined
          ? lost(failure ?? describeExit(exit, memoryKills() > killsBefore))
          : { status: 'cancelled', error: null, result: null },
      );
    }),
    ask: (request) => {
      project.jobs.ask(jobId, request);
      child.send({ type: request });
      if (request === 'cancel') killTimer ??= setTimeout(() => child.kill(), killAfterMs);
    },
  };
}

/** The outcome as the job stored it; when it could not, what its end tells is stored. */
function settle(project: Project, jobId: string, otherwise: () => JobOutcome): JobOutcome {
  if (isOpen(defined(project.jobs.get(jobId), 'job'))) {
    markFinished(project, jobId, otherwise());
  }
  const { status, error, result } = defined(project.jobs.get(jobId), 'job');
  if (status === 'queued' || status === 'running') throw new Error(`Job ${jobId} did not end`);
  return { status, error, result };
}

function lost(error: StoredError): JobOutcome {
  return { status: 'interrupted', error, result: null };
}

/** Tells when a job falls silent and when it is heard again. @returns the function that ends it */
function watchHeartbeat(
  project: Project,
  jobId: string,
  onEvent: (event: JobEvent) => void,
): () => void {
  let wasSilent = false;
  const timer = setInterval(() => {
    const isSilent = stateInWords(defined(project.jobs.get(jobId), 'job')) === 'not responding';
    if (isSilent !== wasSilent) onEvent({ type: isSilent ? 'silent' : 'responding' });
    wasSilent = isSilent;
  }, 5000);
  return () => clearInterval(timer);
}
