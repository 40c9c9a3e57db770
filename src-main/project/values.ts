import { randomUUID } from 'node:crypto';
import * as v from 'valibot';

/** Words shared by several tables. */
export const splits = ['train', 'val', 'test', 'unlabelled'] as const;
export type Split = (typeof splits)[number];

export const statuses = [
  'queued',
  'running',
  'paused',
  'done',
  'failed',
  'cancelled',
  'interrupted',
] as const;
/** States of jobs, runs and study cells; only functions in `jobs/` change them. */
export type Status = (typeof statuses)[number];

export const starts = ['random', 'encoder', 'encoder+decoder', 'file'] as const;
/** What a run's weights start from. */
export type Start = (typeof starts)[number];

/** Any JSON object; whoever stores it parses it with a schema of its own. */
export const jsonObject = v.record(v.string(), v.unknown());
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a failed job keeps of its error. */
export const storedError = v.object({ code: v.string(), message: v.string() });
export type StoredError = Readonly<v.InferOutput<typeof storedError>>;

export function newId(): string {
  return randomUUID();
}

export function now(): number {
  return Date.now();
}
