import * as v from 'valibot';
import { defined } from '../lib/errors.ts';
import type { Progress } from '../lib/progress.ts';
import { execute, json, selectAll, selectOne, type Connection } from './database.ts';
import { jsonObject, newId, now, statuses, storedError, type JsonObject } from './values.ts';

/** Each has its handler in jobs/handlers.ts, its title and its topics in app/. */
export const jobTypes = [
  'pretrain',
  'finetune',
  'study',
  'predict',
  'export',
  'import',
  'suggest',
  'propose',
  'calibrate',
] as const;
export type JobType = (typeof jobTypes)[number];

/** What someone asks of a running job; the job looks at step boundaries. */
export const jobRequests = ['none', 'pause', 'stop', 'cancel'] as const;
export type JobRequest = (typeof jobRequests)[number];

/** The schema of lib/progress.ts' Progress. */
export const progressSchema = v.object({
  phase: v.string(),
  done: v.number(),
  total: v.number(),
  unit: v.picklist(['file', 'image', 'step', 'tile', 'run']),
  remainingSeconds: v.exactOptional(v.pipe(v.tuple([v.number(), v.number()]), v.readonly())),
  imagesPerSecond: v.exactOptional(v.number()),
  memoryBytes: v.exactOptional(v.number()),
  values: v.exactOptional(v.pipe(v.record(v.string(), v.number()), v.readonly())),
});

const jobSchema = v.object({
  id: v.string(),
  type: v.picklist(jobTypes),
  runId: v.nullable(v.string()),
  studyId: v.nullable(v.string()),
  /** What the handler needs beyond its run or study. */
  options: json(jsonObject),
  status: v.picklist(statuses),
  request: v.picklist(jobRequests),
  pid: v.nullable(v.number()),
  /** Tells a process from a later one with the same pid; empty where the system cannot say. */
  pidStarted: v.nullable(v.string()),
  heartbeatAt: v.nullable(v.number()),
  progress: v.nullable(json(progressSchema)),
  error: v.nullable(json(storedError)),
  result: v.nullable(json(jsonObject)),
  createdAt: v.number(),
  startedAt: v.nullable(v.number()),
  finishedAt: v.nullable(v.number()),
});

/** What the queue runs, in a process of its own. */
export type JobRow = Readonly<v.InferOutput<typeof jobSchema>>;

export type NewJob = Pick<JobRow, 'type'> &
  Partial<Pick<JobRow, 'runId' | 'studyId'>> & { readonly options?: JsonObject };

/** The columns that change while a job lives. */
export type JobChange = Partial<
  Pick<
    JobRow,
    | 'status'
    | 'request'
    | 'pid'
    | 'pidStarted'
    | 'heartbeatAt'
    | 'progress'
    | 'error'
    | 'result'
    | 'startedAt'
    | 'finishedAt'
  >
>;

const columns = `id, type, run_id AS runId, study_id AS studyId, options, status, request, pid,
  pid_started AS pidStarted, heartbeat_at AS heartbeatAt, progress, error, result,
  created_at AS createdAt, started_at AS startedAt, finished_at AS finishedAt`;

export type Jobs = ReturnType<typeof createJobs>;

/** The queue. Written by `jobs/` only. */
export function createJobs(db: Connection) {
  const byId = selectOne(db, 'jobs.get', `SELECT ${columns} FROM jobs WHERE id = @id`, jobSchema);
  const listed = selectAll(
    db,
    'jobs.list',
    `SELECT ${columns} FROM jobs WHERE (@status IS NULL OR status = @status)
       AND (@runId IS NULL OR run_id = @runId) ORDER BY created_at, rowid`,
    jobSchema,
  );
  const insert = execute(
    db,
    'jobs.create',
    `INSERT INTO jobs (id, type, run_id, study_id, options, status, request, created_at)
       VALUES (@id, @type, @runId, @studyId, @options, 'queued', 'none', @createdAt)`,
  );
  const update = execute(
    db,
    'jobs.update',
    `UPDATE jobs SET status = @status, request = @request, pid = @pid, pid_started = @pidStarted,
       heartbeat_at = @heartbeatAt, progress = @progress, error = @error, result = @result,
       started_at = @startedAt, finished_at = @finishedAt WHERE id = @id`,
  );
  const beat = execute(
    db,
    'jobs.beat',
    'UPDATE jobs SET heartbeat_at = @at, progress = coalesce(@progress, progress) WHERE id = @id',
  );
  const ask = execute(
    db,
    'jobs.ask',
    `UPDATE jobs SET request = @request WHERE id = @id AND status IN ('queued', 'running')`,
  );
  const requestOf = selectOne(
    db,
    'jobs.request',
    'SELECT request FROM jobs WHERE id = @id',
    v.object({ request: v.picklist(jobRequests) }),
  );
  const text = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

  return {
    get: (id: string): JobRow | undefined => byId({ id }),
    /** Oldest first. */
    list: (wanted: { status?: JobRow['status']; runId?: string } = {}): JobRow[] =>
      listed({ status: wanted.status ?? null, runId: wanted.runId ?? null }),
    create: (job: NewJob): JobRow => {
      const id = newId();
      insert({
        id,
        type: job.type,
        runId: job.runId ?? null,
        studyId: job.studyId ?? null,
        options: JSON.stringify(job.options ?? {}),
        createdAt: now(),
      });
      return defined(byId({ id }), 'job');
    },
    update: (id: string, change: JobChange): void => {
      const next = { ...defined(byId({ id }), 'job'), ...change };
      update({
        id,
        status: next.status,
        request: next.request,
        pid: next.pid,
        pidStarted: next.pidStarted,
        heartbeatAt: next.heartbeatAt,
        progress: text(next.progress),
        error: text(next.error),
        result: text(next.result),
        startedAt: next.startedAt,
        finishedAt: next.finishedAt,
      });
    },
    /** A sign of life, with the progress when there is something new to tell. */
    beat: (id: string, progress?: Progress): void =>
      void beat({ id, at: now(), progress: text(progress ?? null) }),
    /** Asks a queued or running job for something; false when it is neither. */
    ask: (id: string, request: JobRequest): boolean => ask({ id, request }) > 0,
    requestOf: (id: string): JobRequest => requestOf({ id })?.request ?? 'cancel',
  };
}
