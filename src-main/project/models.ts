import * as v from 'valibot';
import { defined } from '../lib/errors.ts';
import { execute, json, selectAll, selectOne, type Connection } from './database.ts';
import { jsonObject, newId, now } from './values.ts';

const modelSchema = v.object({
  id: v.string(),
  runId: v.nullable(v.string()),
  /** `onnx`, `safetensors-torchvision`... */
  format: v.string(),
  /** Relative to the project folder, or absolute when exported elsewhere. */
  file: v.string(),
  bytes: v.number(),
  sha256: v.string(),
  createdAt: v.number(),
  facts: json(jsonObject),
});

/** A model file that was written. */
export type ModelRow = Readonly<v.InferOutput<typeof modelSchema>>;

const columns = 'id, run_id AS runId, format, file, bytes, sha256, created_at AS createdAt, facts';

export type Models = ReturnType<typeof createModels>;

export function createModels(db: Connection) {
  const byId = selectOne(
    db,
    'models.get',
    `SELECT ${columns} FROM models WHERE id = @id`,
    modelSchema,
  );
  const listed = selectAll(
    db,
    'models.list',
    `SELECT ${columns} FROM models WHERE @runId IS NULL OR run_id = @runId
       ORDER BY created_at, rowid`,
    modelSchema,
  );
  const insert = execute(
    db,
    'models.add',
    `INSERT INTO models (id, run_id, format, file, bytes, sha256, created_at, facts)
       VALUES (@id, @runId, @format, @file, @bytes, @sha256, @createdAt, @facts)`,
  );
  const remove = execute(db, 'models.remove', 'DELETE FROM models WHERE id = @id');
  return {
    get: (id: string): ModelRow | undefined => byId({ id }),
    /** Oldest first. */
    list: (runId?: string): ModelRow[] => listed({ runId: runId ?? null }),
    add: (model: Omit<ModelRow, 'id' | 'createdAt'>): ModelRow => {
      const id = newId();
      insert({ ...model, id, createdAt: now(), facts: JSON.stringify(model.facts) });
      return defined(byId({ id }), 'model');
    },
    remove: (id: string): void => void remove({ id }),
  };
}
