import type { Status } from '../src-main/contract/values.ts';

/** Whether a job, or the run it works on, waits or works; false for one that is not there. */
export function isUnfinished(entry: { readonly status: Status } | undefined): boolean {
  return entry?.status === 'queued' || entry?.status === 'running';
}
