import * as v from 'valibot';
import { execute, selectAll, selectOne, type Connection } from './database.ts';
import { now } from './values.ts';

const kinds = ['latest', 'best', 'final', 'healthy'] as const;

const checkpointSchema = v.object({
  runId: v.string(),
  kind: v.picklist(kinds),
  step: v.number(),
  /** Relative to the project folder, with `/`. */
  file: v.string(),
  bytes: v.number(),
  sha256: v.string(),
  createdAt: v.number(),
});

/** A file of weights (and, for `latest` and `healthy`, of everything a resume needs). */
export type CheckpointRow = Readonly<v.InferOutput<typeof checkpointSchema>>;
export type CheckpointKind = CheckpointRow['kind'];

const columns = `run_id AS runId, kind, step, file, bytes, sha256, created_at AS createdAt`;

export type Checkpoints = ReturnType<typeof createCheckpoints>;

/** At most one checkpoint of each kind for a run. */
export function createCheckpoints(db: Connection) {
  const one = selectOne(
    db,
    'checkpoints.get',
    `SELECT ${columns} FROM checkpoints WHERE run_id = @runId AND kind = @kind`,
    checkpointSchema,
  );
  const all = selectAll(
    db,
    'checkpoints.list',
    `SELECT ${columns} FROM checkpoints WHERE run_id = @runId ORDER BY step, kind`,
    checkpointSchema,
  );
  const replace = execute(
    db,
    'checkpoints.put',
    `INSERT OR REPLACE INTO checkpoints (run_id, kind, step, file, bytes, sha256, created_at)
       VALUES (@runId, @kind, @step, @file, @bytes, @sha256, @createdAt)`,
  );
  const remove = execute(
    db,
    'checkpoints.remove',
    'DELETE FROM checkpoints WHERE run_id = @runId AND kind = @kind',
  );
  return {
    get: (runId: string, kind: CheckpointKind): CheckpointRow | undefined => one({ runId, kind }),
    /** By step. */
    list: (runId: string): CheckpointRow[] => all({ runId }),
    /**
     * Records a file that is already safely on disk, in place of the run's last of this kind. A file
     * may serve several kinds; delete an old file only when `list` no longer names it.
     */
    put: (checkpoint: Omit<CheckpointRow, 'createdAt'>): void =>
      void replace({ ...checkpoint, createdAt: now() }),
    remove: (runId: string, kind: CheckpointKind): void => void remove({ runId, kind }),
  };
}
