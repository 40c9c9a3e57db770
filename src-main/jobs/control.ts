import type { Progress, RunControl } from '../lib/progress.ts';
import { log } from '../lib/log.ts';
import type { JobRequest, JobRow } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import type { FromJob } from './messages.ts';

const sendEveryMs = 100;
const storeEveryMs = 1000;
const pollEveryMs = 200;
const beatEveryMs = 5000;

/** A RunControl and what its owner needs to know of it. */
export interface JobControl extends RunControl {
  /** A request that came as a message; those in the database are found by looking. */
  ask(request: JobRequest): void;
  /** True once the handler was told to pause. */
  wasPaused(): boolean;
  dispose(): void;
}

/**
 * Connects a handler with the one who started it (messages) and with anyone else (the `request` of
 * its row, looked at whenever the handler reports or asks). When the starter is gone the job pauses.
 */
export function createControl(
  project: Project,
  job: JobRow,
  send: (message: FromJob) => void,
): JobControl {
  const controller = new AbortController();
  const starter = process.ppid;
  let request: JobRequest = 'none';
  let paused = false;
  let latest: Progress | undefined;
  let sentAt = -Infinity;
  let storedAt = -Infinity;
  let polledAt = -Infinity;

  const ask = (wanted: JobRequest): void => {
    if (wanted !== 'none') request = wanted;
    if (request === 'cancel') controller.abort();
  };
  const poll = (): void => {
    if (performance.now() - polledAt < pollEveryMs) return;
    polledAt = performance.now();
    ask(project.jobs.requestOf(job.id));
    if (request === 'none' && process.ppid !== starter) request = 'pause';
  };
  const publish = (): void => {
    if (latest === undefined) return;
    if (performance.now() - storedAt >= storeEveryMs) {
      storedAt = performance.now();
      project.jobs.beat(job.id, latest);
    }
    if (performance.now() - sentAt >= sendEveryMs) {
      sentAt = performance.now();
      send({ type: 'progress', progress: latest });
      latest = undefined;
    }
  };
  const flush = (): void => {
    storedAt = -Infinity;
    sentAt = -Infinity;
    publish();
  };
  const heart = setInterval(() => {
    project.jobs.beat(job.id);
    poll();
  }, beatEveryMs);
  const watch = setInterval(poll, pollEveryMs);

  return {
    signal: controller.signal,
    requested: () => {
      poll();
      if (request === 'pause') paused = true;
      return request === 'cancel' ? 'none' : request;
    },
    report: (progress) => {
      latest = { memoryBytes: process.memoryUsage.rss(), ...progress };
      poll();
      publish();
    },
    notice: (message) => {
      flush();
      log('info', 'jobs', message, { job: job.id });
      if (job.runId !== null) project.runNotices.add(job.runId, message);
      send({ type: 'log', message });
    },
    ask,
    wasPaused: () => paused,
    dispose: () => {
      clearInterval(heart);
      clearInterval(watch);
      flush();
    },
  };
}
