import * as v from 'valibot';
import { defined } from '../lib/errors.ts';
import { execute, immediately, json, selectAll, selectOne, type Connection } from './database.ts';
import { jsonObject, newId, now, starts, statuses, type JsonObject } from './values.ts';

const studySchema = v.object({
  id: v.string(),
  name: v.string(),
  config: json(jsonObject),
  createdAt: v.number(),
  result: v.nullable(json(jsonObject)),
});

/** A comparison of runs: fractions x starts x seeds. */
export type StudyRow = Readonly<v.InferOutput<typeof studySchema>>;

const cellSchema = v.object({
  studyId: v.string(),
  /** Share of the labels, in (0, 1]. */
  fraction: v.number(),
  start: v.picklist(starts),
  seed: v.number(),
  runId: v.nullable(v.string()),
  status: v.picklist(statuses),
  scores: v.nullable(json(jsonObject)),
});

/** One fine-tuning of a study. */
export type StudyCell = Readonly<v.InferOutput<typeof cellSchema>>;

const columns = 'id, name, config, created_at AS createdAt, result';
const cellColumns = 'study_id AS studyId, fraction, start, seed, run_id AS runId, status, scores';
const cellKey = 'study_id = @studyId AND fraction = @fraction AND start = @start AND seed = @seed';

export type Studies = ReturnType<typeof createStudies>;

export function createStudies(db: Connection) {
  const byId = selectOne(
    db,
    'studies.get',
    `SELECT ${columns} FROM studies WHERE id = @id`,
    studySchema,
  );
  const byName = selectOne(
    db,
    'studies.findByName',
    `SELECT ${columns} FROM studies WHERE name = @name`,
    studySchema,
  );
  const all = selectAll(
    db,
    'studies.list',
    `SELECT ${columns} FROM studies ORDER BY created_at, rowid`,
    studySchema,
  );
  const insert = execute(
    db,
    'studies.create',
    `INSERT INTO studies (id, name, config, created_at) VALUES (@id, @name, @config, @createdAt)`,
  );
  const updateResult = execute(
    db,
    'studies.setResult',
    'UPDATE studies SET result = @result WHERE id = @id',
  );
  const cells = selectAll(
    db,
    'studyCells.list',
    `SELECT ${cellColumns} FROM study_cells WHERE study_id = @studyId
       ORDER BY fraction, start, seed`,
    cellSchema,
  );
  const insertCell = execute(
    db,
    'studyCells.add',
    `INSERT INTO study_cells (study_id, fraction, start, seed, status)
       VALUES (@studyId, @fraction, @start, @seed, 'queued') ON CONFLICT DO NOTHING`,
  );
  const updateCell = execute(
    db,
    'studyCells.set',
    `UPDATE study_cells SET run_id = @runId, status = @status, scores = @scores WHERE ${cellKey}`,
  );
  return {
    get: (id: string): StudyRow | undefined => byId({ id }),
    findByName: (name: string): StudyRow | undefined => byName({ name }),
    /** Oldest first. */
    list: (): StudyRow[] => all(),
    create: (name: string, config: JsonObject): StudyRow => {
      const id = newId();
      insert({ id, name, config: JSON.stringify(config), createdAt: now() });
      return defined(byId({ id }), 'study');
    },
    setResult: (id: string, result: JsonObject): void =>
      void updateResult({ id, result: JSON.stringify(result) }),
    /** By fraction, start and seed. */
    cells: (studyId: string): StudyCell[] => cells({ studyId }),
    /** Adds queued cells; those that are there already keep their state. */
    addCells: (
      studyId: string,
      keys: readonly Pick<StudyCell, 'fraction' | 'start' | 'seed'>[],
    ): void =>
      immediately(db, () => {
        for (const { fraction, start, seed } of keys) {
          insertCell({ studyId, fraction, start, seed });
        }
      }),
    /** Stores the state of one cell, found by study, fraction, start and seed. */
    setCell: (cell: StudyCell): void => {
      updateCell({ ...cell, scores: cell.scores === null ? null : JSON.stringify(cell.scores) });
    },
  };
}
