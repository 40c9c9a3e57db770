import * as v from 'valibot';
import { procedure, stream } from './procedure.ts';
import { fault, id, progress, status, time } from './values.ts';

/** One entry of the jobs tray. */
export const job = v.object({
  id,
  type: v.string(),
  /** What it is about, in words, e.g. "Pre-training run-3". */
  title: v.string(),
  runId: v.nullable(id),
  studyId: v.nullable(id),
  status,
  /** Running, but no sign of life for a minute. */
  isSilent: v.boolean(),
  /** What was asked of it and is not answered yet. */
  request: v.picklist(['none', 'pause', 'stop', 'cancel']),
  progress: v.nullable(progress),
  error: v.nullable(fault),
  createdAt: time,
  startedAt: v.nullable(time),
  finishedAt: v.nullable(time),
});
export type Job = Readonly<v.InferOutput<typeof job>>;

/** What may have changed since the last message; queries on these topics ask again. */
export const topics = [
  'project',
  'images',
  'labels',
  'runs',
  'studies',
  'models',
  'predictions',
  'places',
  'settings',
] as const;
export type Topic = (typeof topics)[number];

const liveState = v.object({
  /** Null while no project is open. */
  projectId: v.nullable(id),
  /** Open jobs, and those that ended while this program ran; newest first. */
  jobs: v.array(job),
  changed: v.array(v.picklist(topics)),
});
export type LiveState = Readonly<v.InferOutput<typeof liveState>>;

export const jobsContract = {
  watch: procedure.output(stream(liveState)),
  /** `cancel` ends it, `pause` and `stop` leave a model that can be used and continued. */
  ask: procedure.input(
    v.strictObject({ jobId: id, request: v.picklist(['pause', 'stop', 'cancel']) }),
  ),
  /** Takes an ended job out of the tray. */
  dismiss: procedure.input(v.strictObject({ jobId: id })),
};
