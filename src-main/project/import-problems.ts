import * as v from 'valibot';
import { execute, immediately, selectAll, selectOne, type Connection } from './database.ts';

const effects = ['skipped', 'notice'] as const;

const problemSchema = v.object({
  /** Within the imported folder. */
  path: v.string(),
  code: v.string(),
  message: v.string(),
  /** `skipped`: the image or its mask is not used; `notice`: it is used as the message says. */
  effect: v.picklist(effects),
});

const tallySchema = v.object({
  code: v.string(),
  effect: v.picklist(effects),
  count: v.number(),
});

/** Why a file was skipped, or what about it needs attention. */
export type ImportProblem = Readonly<v.InferOutput<typeof problemSchema>>;
export type ProblemTally = Readonly<v.InferOutput<typeof tallySchema>>;

export type ImportProblems = ReturnType<typeof createImportProblems>;

/** The problems of the last import of each folder, and those of all images together. */
export function createImportProblems(db: Connection) {
  const insert = execute(
    db,
    'importProblems.add',
    `INSERT INTO import_problems (folder_id, path, code, message, effect)
       VALUES (@folderId, @path, @code, @message, @effect)`,
  );
  const clearFolder = execute(
    db,
    'importProblems.clearFolder',
    'DELETE FROM import_problems WHERE folder_id = @folderId',
  );
  const clearGeneral = execute(
    db,
    'importProblems.clearGeneral',
    `DELETE FROM import_problems WHERE folder_id IS NULL AND code LIKE @prefix || '%'`,
  );
  const listed = selectAll(
    db,
    'importProblems.list',
    `SELECT path, code, message, effect FROM import_problems WHERE @code IS NULL OR code = @code
       ORDER BY code, path, id LIMIT @limit OFFSET @offset`,
    problemSchema,
  );
  const counted = selectOne(
    db,
    'importProblems.count',
    'SELECT count(*) AS count FROM import_problems WHERE code = @code',
    v.object({ count: v.number() }),
  );
  const perFolder = selectAll(
    db,
    'importProblems.skippedByFolder',
    `SELECT folder_id AS folderId, count(*) AS count FROM import_problems
       WHERE effect = 'skipped' AND code LIKE 'images.%' AND folder_id IS NOT NULL
       GROUP BY folder_id`,
    v.object({ folderId: v.string(), count: v.number() }),
  );
  const perCode = selectAll(
    db,
    'importProblems.countByCode',
    `SELECT code, effect, count(*) AS count FROM import_problems GROUP BY code, effect
       ORDER BY effect = 'notice', count(*) DESC, code`,
    tallySchema,
  );
  const addAll = (folderId: string | null, problems: readonly ImportProblem[]): void => {
    for (const { path, code, message, effect } of problems) {
      insert({ folderId, path, code, message, effect });
    }
  };
  return {
    /** Of one folder, in place of those of its last import. */
    replaceOfFolder: (folderId: string, problems: readonly ImportProblem[]): void =>
      immediately(db, () => {
        clearFolder({ folderId });
        addAll(folderId, problems);
      }),
    /** Of all images together, in place of those whose code begins with `prefix`. */
    replaceGeneral: (problems: readonly ImportProblem[], prefix = ''): void =>
      immediately(db, () => {
        clearGeneral({ prefix });
        addAll(null, problems);
      }),
    list: (
      wanted: {
        readonly code?: string;
        readonly limit?: number;
        readonly offset?: number;
      } = {},
    ): ImportProblem[] =>
      listed({
        code: wanted.code ?? null,
        limit: wanted.limit ?? -1,
        offset: wanted.offset ?? 0,
      }),
    count: (code: string): number => counted({ code })?.count ?? 0,
    /** Image files that were left out, by folder; copies not counted. */
    skippedByFolder: (): ReadonlyMap<string, number> =>
      new Map(perFolder().map(({ folderId, count }) => [folderId, count])),
    /** What leaves files out first, then by number. */
    countByCode: (): ProblemTally[] => perCode(),
  };
}
