import * as v from 'valibot';
import { AppError, defined } from '../lib/errors.ts';
import { execute, json, selectAll, selectOne, type Connection } from './database.ts';
import {
  jsonObject,
  newId,
  now,
  starts,
  statuses,
  type JsonObject,
  type Status,
} from './values.ts';

const runSchema = v.object({
  id: v.string(),
  kind: v.picklist(['pretrain', 'finetune']),
  /** Unique in the project, e.g. `pretrain-2`. */
  name: v.string(),
  status: v.picklist(statuses),
  /** The resolved config; the trainer parses it with its own schema. */
  config: json(jsonObject),
  seed: v.number(),
  /** The run its weights come from. */
  parentRunId: v.nullable(v.string()),
  start: v.picklist(starts),
  /** Where it ran: executor, provider, and why. */
  device: v.nullable(json(jsonObject)),
  createdAt: v.number(),
  startedAt: v.nullable(v.number()),
  finishedAt: v.nullable(v.number()),
  result: v.nullable(json(jsonObject)),
  /** Completed steps. */
  step: v.number(),
  totalSteps: v.nullable(v.number()),
});

/** One training with its config and results. */
export type RunRow = Readonly<v.InferOutput<typeof runSchema>>;
export type RunKind = RunRow['kind'];

export type NewRun = Pick<RunRow, 'kind' | 'config' | 'seed' | 'start'> &
  Partial<Pick<RunRow, 'name' | 'parentRunId' | 'totalSteps'>>;

/** Files of a run are named after it, on every system. */
const fileNameSafe = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,79}$/u;

const columns = `id, kind, name, status, config, seed, parent_run_id AS parentRunId, start, device,
  created_at AS createdAt, started_at AS startedAt, finished_at AS finishedAt, result, step,
  total_steps AS totalSteps`;

export type Runs = ReturnType<typeof createRuns>;

/** Trainings. `status` is changed by `jobs/` only, everything else by the run's trainer. */
export function createRuns(db: Connection) {
  const byId = selectOne(db, 'runs.get', `SELECT ${columns} FROM runs WHERE id = @id`, runSchema);
  const byName = selectOne(
    db,
    'runs.findByName',
    `SELECT ${columns} FROM runs WHERE name = @name`,
    runSchema,
  );
  const listed = selectAll(
    db,
    'runs.list',
    `SELECT ${columns} FROM runs WHERE @kind IS NULL OR kind = @kind ORDER BY created_at, rowid`,
    runSchema,
  );
  const counted = selectOne(
    db,
    'runs.count',
    'SELECT count(*) AS count FROM runs WHERE kind = @kind',
    v.object({ count: v.number() }),
  );
  const insert = execute(
    db,
    'runs.create',
    `INSERT INTO runs (id, kind, name, status, config, seed, parent_run_id, start, created_at,
       step, total_steps)
     VALUES (@id, @kind, @name, 'queued', @config, @seed, @parentRunId, @start, @createdAt,
       0, @totalSteps)`,
  );
  const updateStatus = execute(
    db,
    'runs.setStatus',
    `UPDATE runs SET status = @status,
       started_at = CASE WHEN @status = 'running' THEN coalesce(started_at, @at) ELSE started_at END,
       finished_at = CASE WHEN @status IN ('queued', 'running') THEN NULL ELSE @at END
     WHERE id = @id`,
  );
  const updateProgress = execute(
    db,
    'runs.setProgress',
    'UPDATE runs SET step = @step, total_steps = @totalSteps WHERE id = @id',
  );
  const updateConfig = execute(
    db,
    'runs.setConfig',
    'UPDATE runs SET config = @config WHERE id = @id',
  );
  const updateDevice = execute(
    db,
    'runs.setDevice',
    'UPDATE runs SET device = @device WHERE id = @id',
  );
  const updateResult = execute(
    db,
    'runs.setResult',
    'UPDATE runs SET result = @result WHERE id = @id',
  );
  const updateName = execute(db, 'runs.rename', 'UPDATE runs SET name = @name WHERE id = @id');
  const deleteRun = execute(db, 'runs.remove', 'DELETE FROM runs WHERE id = @id');

  const freeName = (kind: RunKind): string => {
    for (let number = (counted({ kind })?.count ?? 0) + 1; ; number++) {
      const name = `${kind}-${number}`;
      if (byName({ name }) === undefined) return name;
    }
  };

  const requireName = (name: string): void => {
    if (!fileNameSafe.test(name)) {
      throw new AppError(
        'runs.bad-name',
        `A run cannot be called "${name}". Use letters, digits, spaces, dots, dashes and underscores.`,
      );
    }
    if (byName({ name }) !== undefined) {
      throw new AppError('runs.exists', `There is a run "${name}" already. Choose another name.`);
    }
  };

  return {
    get: (id: string): RunRow | undefined => byId({ id }),
    findByName: (name: string): RunRow | undefined => byName({ name }),
    /** Oldest first. */
    list: (kind?: RunKind): RunRow[] => listed({ kind: kind ?? null }),

    /**
     * Adds a queued run; without a name it becomes `pretrain-1`, `finetune-3`...
     * @throws AppError `runs.exists`, `runs.bad-name`
     */
    create: (run: NewRun): RunRow => {
      const id = newId();
      const name = run.name ?? freeName(run.kind);
      requireName(name);
      insert({
        id,
        kind: run.kind,
        name,
        config: JSON.stringify(run.config),
        seed: run.seed,
        parentRunId: run.parentRunId ?? null,
        start: run.start,
        createdAt: now(),
        totalSteps: run.totalSteps ?? null,
      });
      return defined(byId({ id }), 'run');
    },

    /** @throws AppError `runs.exists`, `runs.bad-name` */
    rename: (id: string, name: string): void => {
      requireName(name);
      updateName({ id, name });
    },

    /** For `jobs/` only. */
    setStatus: (id: string, status: Status): void => void updateStatus({ id, status, at: now() }),
    setProgress: (id: string, step: number, totalSteps: number | null): void =>
      void updateProgress({ id, step, totalSteps }),
    /** Only for what is resolved at the start (calibrated length) and for extending. */
    setConfig: (id: string, config: JsonObject): void =>
      void updateConfig({ id, config: JSON.stringify(config) }),
    setDevice: (id: string, device: JsonObject): void =>
      void updateDevice({ id, device: JSON.stringify(device) }),
    setResult: (id: string, result: JsonObject): void =>
      void updateResult({ id, result: JSON.stringify(result) }),
    remove: (id: string): void => void deleteRun({ id }),
  };
}
