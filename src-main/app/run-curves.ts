import type { RunMetrics as Curves } from '../contract/runs.ts';
import type { Project } from '../project/project.ts';
import type { RunMetrics } from '../project/run-metrics.ts';

/** Logged figures of the runs that were looked at last, so that each look reads only what is new. */
export class RunCurves {
  readonly #known = new Map<string, RunMetrics[]>();

  /** The figures whose names begin with one of `names`, as at most `points` means. */
  read(
    project: Project,
    runId: string,
    wanted: { readonly points: number; readonly names: readonly string[] },
  ): Curves {
    return downsample(this.#rows(project, runId), wanted);
  }

  #rows(project: Project, runId: string): readonly RunMetrics[] {
    const known = this.#known.get(runId) ?? [];
    const last = known.at(-1);
    // A run that went back to a checkpoint has logged its last known step anew, or not yet.
    const isOnTrack = last !== undefined && project.runMetrics.timeOf(runId, last.step) === last.at;
    const kept = isOnTrack ? known : [];
    const rows = [...kept, ...project.runMetrics.listAfter(runId, kept.at(-1)?.step ?? -1)];
    this.#known.delete(runId);
    this.#known.set(runId, rows);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= keptRuns) break;
      this.#known.delete(oldest);
    }
    return rows;
  }
}

const keptRuns = 4;

/** Means over neighbouring rows, so that at most `points` are left; nothing is invented or dropped. */
export function downsample(
  rows: readonly RunMetrics[],
  { points, names }: { readonly points: number; readonly names: readonly string[] },
): Curves {
  const size = Math.max(1, Math.ceil(rows.length / points));
  const buckets = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    rows.slice(i * size, (i + 1) * size),
  );
  const found = new Set(rows.slice(-size).flatMap(({ values }) => Object.keys(values)));
  for (const name of Object.keys(rows[0]?.values ?? {})) found.add(name);
  const wanted = [...found].filter((name) => names.some((start) => name.startsWith(start)));
  return {
    steps: buckets.map((bucket) => bucket.at(-1)?.step ?? 0),
    series: wanted.map((name) => ({
      name,
      values: buckets.map((bucket) => mean(bucket.map(({ values }) => values[name]))),
    })),
    stepsPerPoint: size,
  };
}

function mean(values: readonly (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
