import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import type { Exported } from '../../contract/use.ts';
import { exportOptionsSchema } from '../../jobs/job-options.ts';
import type { JobRow } from '../../project/jobs.ts';
import type { Project } from '../../project/project.ts';
import type { Places } from '../places.ts';

const listedExports = 10;

const resultSchema = v.object({
  files: v.array(v.object({ path: v.string(), bytes: v.number() })),
  card: v.string(),
  maxDifference: v.exactOptional(v.number()),
});

/** The last exports, newest first. */
export function listExports(project: Project, places: Places): Exported[] {
  return project.jobs
    .list()
    .filter(({ type }) => type === 'export')
    .slice(-listedExports)
    .toReversed()
    .map((job) => exportedBy(project, places, job));
}

function exportedBy(project: Project, places: Places, job: JobRow): Exported {
  const { target, runId } = v.parse(exportOptionsSchema, job.options);
  const parsed = v.safeParse(resultSchema, job.result);
  const result = parsed.success ? parsed.output : undefined;
  const run = project.runs.get(runId);
  const [first] = result?.files ?? [];
  return {
    jobId: job.id,
    runName: run?.name ?? 'a deleted run',
    target,
    status: job.status,
    error: job.error,
    files: (result?.files ?? [])
      .filter(({ path }) => existsSync(path))
      .map(({ path, bytes }) => ({ place: places.add(path), bytes })),
    folder: first === undefined ? null : places.add(dirname(first.path)),
    maxDifference: result?.maxDifference ?? null,
    page: result === undefined ? '' : pageAt(result.card),
    at: job.createdAt,
  };
}

function pageAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // moved or deleted; the record of the export stays
  }
}
