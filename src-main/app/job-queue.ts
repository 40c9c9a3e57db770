import { startJob, type JobEvent, type RunningJob } from '../jobs/runner.ts';
import { interruptLostJobs, isOpen, markFinished } from '../jobs/states.ts';
import { detach } from '../lib/detach.ts';
import { log } from '../lib/log.ts';
import type { JobRequest, JobRow, JobType, NewJob } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import { now } from '../project/values.ts';

/** Jobs that use every core for long; one after the other. The others run beside them. */
const heavy: ReadonlySet<JobType> = new Set(['pretrain', 'finetune', 'study', 'calibrate']);

/** A queued job of a program that ended before it began is not started by itself. */
const staleQueuedMs = 60_000;

export interface QueueEvents {
  /** A job began, ended, moved on or said something. */
  onJob(job: JobRow, event: JobEvent | { readonly type: 'started' | 'ended' }): void;
}

/** Starts the jobs of the open project. */
export class JobQueue {
  readonly #project: Project;
  readonly #events: QueueEvents;
  readonly #running = new Map<string, RunningJob>();
  readonly #seen = new Set<string>();
  #isDisposed = false;

  constructor(project: Project, events: QueueEvents) {
    this.#project = project;
    this.#events = events;
    interruptLostJobs(project);
    for (const job of project.jobs.list({ status: 'queued' })) {
      if (now() - job.createdAt < staleQueuedMs) continue;
      markFinished(project, job.id, { status: 'interrupted', error: null, result: null });
    }
  }

  /** Adds a job; it begins at once unless another long one works. */
  add(newJob: NewJob): JobRow {
    const job = this.#project.jobs.create(newJob);
    this.#seen.add(job.id);
    this.#startNext();
    return this.#project.jobs.get(job.id) ?? job;
  }

  /** False when the job has ended already. */
  ask(jobId: string, request: Exclude<JobRequest, 'none'>): boolean {
    const running = this.#running.get(jobId);
    if (running !== undefined) {
      running.ask(request);
      return true;
    }
    const job = this.#project.jobs.get(jobId);
    if (job?.status === 'queued' && this.#seen.has(jobId)) {
      const status = request === 'cancel' ? 'cancelled' : 'paused';
      markFinished(this.#project, jobId, { status, error: null, result: null });
      this.#events.onJob({ ...job, status }, { type: 'ended' });
      return true;
    }
    return this.#project.jobs.ask(jobId, request); // a job of another program
  }

  /**
   * Jobs to show, newest first: open ones, and those of this program that ended and were not
   * dismissed. Predictions for a look are shown while they work only; the window shows what they made.
   */
  shown(): JobRow[] {
    const { jobs } = this.#project;
    const open = [...jobs.list({ status: 'queued' }), ...jobs.list({ status: 'running' })];
    const ended = [...this.#seen].flatMap((id) => {
      const job = open.some((other) => other.id === id) ? undefined : jobs.get(id);
      return job === undefined || isForLooking(job) ? [] : [job];
    });
    return [...open, ...ended].sort((a, b) => b.createdAt - a.createdAt);
  }

  dismiss(jobId: string): void {
    if (!this.#running.has(jobId)) this.#seen.delete(jobId);
  }

  get isWorking(): boolean {
    return this.#running.size > 0;
  }

  /** Whether a long job waits or works, here or in another program. */
  get isHeavyOpen(): boolean {
    return this.shown().some((job) => heavy.has(job.type) && isOpen(job));
  }

  /**
   * Asks every job to pause (or, where that means nothing, to cancel) and waits for them. Jobs that
   * still waited count as interrupted.
   */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    for (const job of this.#project.jobs.list({ status: 'queued' })) {
      if (!this.#seen.has(job.id) || this.#running.has(job.id)) continue;
      markFinished(this.#project, job.id, { status: 'interrupted', error: null, result: null });
    }
    const ending = [...this.#running.values()].map((running) => {
      const type = this.#project.jobs.get(running.jobId)?.type;
      running.ask(type !== undefined && heavy.has(type) ? 'pause' : 'cancel');
      return running.outcome;
    });
    await Promise.all(ending);
  }

  #startNext(): void {
    if (this.#isDisposed) return;
    for (const job of this.#project.jobs.list({ status: 'queued' })) {
      if (!this.#seen.has(job.id) || this.#running.has(job.id)) continue;
      if (heavy.has(job.type) && this.#isHeavyWorking()) continue;
      this.#start(job);
    }
  }

  #start(job: JobRow): void {
    const running = startJob(this.#project, job.id, {
      onEvent: (event) => this.#events.onJob(job, event),
    });
    this.#running.set(job.id, running);
    this.#events.onJob(job, { type: 'started' });
    detach(
      running.outcome.then((outcome) => {
        this.#running.delete(job.id);
        if (outcome.error !== null) log('warn', 'jobs', outcome.error.message, { jobId: job.id });
        this.#events.onJob({ ...job, status: outcome.status }, { type: 'ended' });
        this.#startNext();
      }),
      'jobs',
    );
  }

  #isHeavyWorking(): boolean {
    return [...this.#running.keys()].some((id) => {
      const type = this.#project.jobs.get(id)?.type;
      return type !== undefined && heavy.has(type);
    });
  }
}

function isForLooking({ type, options }: JobRow): boolean {
  return type === 'predict' && options['mode'] === 'preview';
}
