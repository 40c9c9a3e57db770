import * as v from 'valibot';
import { execute, json, selectAll, selectOne, type Connection } from './database.ts';
import { now } from './values.ts';

const metricsSchema = v.object({
  step: v.number(),
  at: v.number(),
  values: json(v.record(v.string(), v.number())),
});

/** Named figures of one step. */
export type RunMetrics = Readonly<v.InferOutput<typeof metricsSchema>>;

const noticeSchema = v.object({ at: v.number(), message: v.string() });

/** A sentence that a run told its user. */
export type RunNotice = Readonly<v.InferOutput<typeof noticeSchema>>;

export type RunMetricsTable = ReturnType<typeof createRunMetrics>;

/** What was measured during runs. */
export function createRunMetrics(db: Connection) {
  const merge = execute(
    db,
    'runMetrics.add',
    `INSERT INTO run_metrics (run_id, step, at, figures) VALUES (@runId, @step, @at, @figures)
       ON CONFLICT (run_id, step) DO UPDATE
       SET figures = json_patch(figures, excluded.figures), at = excluded.at`,
  );
  const listed = selectAll(
    db,
    'runMetrics.list',
    `SELECT step, at, figures AS "values" FROM run_metrics WHERE run_id = @runId ORDER BY step`,
    metricsSchema,
  );
  const later = selectAll(
    db,
    'runMetrics.listAfter',
    `SELECT step, at, figures AS "values" FROM run_metrics WHERE run_id = @runId AND step > @step
       ORDER BY step`,
    metricsSchema,
  );
  const last = selectOne(
    db,
    'runMetrics.last',
    `SELECT step, at, figures AS "values" FROM run_metrics WHERE run_id = @runId
       ORDER BY step DESC LIMIT 1`,
    metricsSchema,
  );
  const timeOf = selectOne(
    db,
    'runMetrics.timeOf',
    'SELECT at FROM run_metrics WHERE run_id = @runId AND step = @step',
    v.object({ at: v.number() }),
  );
  const removeAfter = execute(
    db,
    'runMetrics.removeAfter',
    'DELETE FROM run_metrics WHERE run_id = @runId AND step > @step',
  );
  return {
    /** Adds figures to a step; figures that are not finite numbers cannot be stored and are left out. */
    add: (runId: string, step: number, values: Readonly<Record<string, number>>): void => {
      const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
      merge({ runId, step, at: now(), figures: JSON.stringify(Object.fromEntries(finite)) });
    },
    /** By step. */
    list: (runId: string): RunMetrics[] => listed({ runId }),
    /** Those after a step, by step. */
    listAfter: (runId: string, step: number): RunMetrics[] => later({ runId, step }),
    last: (runId: string): RunMetrics | undefined => last({ runId }),
    /** When a step was logged. */
    timeOf: (runId: string, step: number): number | undefined => timeOf({ runId, step })?.at,
    /** Forgets what was measured after a step, before training continues from it. */
    removeAfter: (runId: string, step: number): void => void removeAfter({ runId, step }),
  };
}

export type RunNotices = ReturnType<typeof createRunNotices>;

/** What runs told their user, e.g. a fallback to the CPU. */
export function createRunNotices(db: Connection) {
  const insert = execute(
    db,
    'runNotices.add',
    'INSERT INTO run_notices (run_id, at, message) VALUES (@runId, @at, @message)',
  );
  const listed = selectAll(
    db,
    'runNotices.list',
    'SELECT at, message FROM run_notices WHERE run_id = @runId ORDER BY id',
    noticeSchema,
  );
  return {
    add: (runId: string, message: string): void => void insert({ runId, at: now(), message }),
    /** Oldest first. */
    list: (runId: string): RunNotice[] => listed({ runId }),
  };
}
