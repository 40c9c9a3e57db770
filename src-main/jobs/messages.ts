import * as v from 'valibot';
import { progressSchema } from '../project/jobs.ts';
import { storedError } from '../project/values.ts';

const toJobSchema = v.variant('type', [
  v.strictObject({ type: v.literal('start'), projectDir: v.string(), jobId: v.string() }),
  v.strictObject({ type: v.literal('cancel') }),
  v.strictObject({ type: v.literal('pause') }),
  v.strictObject({ type: v.literal('stop') }),
]);

const fromJobSchema = v.variant('type', [
  v.strictObject({ type: v.literal('ready') }),
  v.strictObject({ type: v.literal('progress'), progress: progressSchema }),
  v.strictObject({ type: v.literal('log'), message: v.string() }),
  v.strictObject({ type: v.literal('done') }),
  v.strictObject({ type: v.literal('failed'), error: storedError }),
]);

/** What the one who started a job tells its process. */
export type ToJob = Readonly<v.InferOutput<typeof toJobSchema>>;

/** What a job's process tells. Results and metrics are in the database, not here. */
export type FromJob = Readonly<v.InferOutput<typeof fromJobSchema>>;

/** Checks a message on arrival in the job; a wrong one is a bug of the sender. */
export function parseToJob(message: unknown): ToJob {
  return parse(toJobSchema, message);
}

/** Checks a message on arrival from the job. */
export function parseFromJob(message: unknown): FromJob {
  return parse(fromJobSchema, message);
}

function parse<T>(schema: v.GenericSchema<unknown, T>, message: unknown): T {
  const result = v.safeParse(schema, message);
  if (result.success) return result.output;
  throw new Error(`Unknown message between processes: ${v.summarize(result.issues)}`);
}
