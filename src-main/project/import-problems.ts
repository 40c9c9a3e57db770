import * as v from 'valibot';
import { execute, immediately, selectAll, type Connection } from './database.ts';

const problemSchema = v.object({
  /** Within the imported folder. */
  path: v.string(),
  code: v.string(),
  message: v.string(),
  /** `skipped`: the image or its mask is not used; `notice`: it is used as the message says. */
  effect: v.picklist(['skipped', 'notice']),
});

/** Why a file was skipped, or what about it needs attention. */
export type ImportProblem = Readonly<v.InferOutput<typeof problemSchema>>;

export type ImportProblems = ReturnType<typeof createImportProblems>;

/** The problems of the last import. */
export function createImportProblems(db: Connection) {
  const insert = execute(
    db,
    'importProblems.add',
    'INSERT INTO import_problems (path, code, message, effect) VALUES (@path, @code, @message, @effect)',
  );
  const clear = execute(db, 'importProblems.clear', 'DELETE FROM import_problems');
  const all = selectAll(
    db,
    'importProblems.list',
    'SELECT path, code, message, effect FROM import_problems ORDER BY code, path, id',
    problemSchema,
  );
  const perCode = selectAll(
    db,
    'importProblems.countByCode',
    'SELECT code, count(*) AS count FROM import_problems GROUP BY code ORDER BY code',
    v.object({ code: v.string(), count: v.number() }),
  );
  return {
    addMany: (problems: readonly ImportProblem[]): void =>
      immediately(db, () => {
        for (const { path, code, message, effect } of problems) {
          insert({ path, code, message, effect });
        }
      }),
    clear: (): void => void clear(),
    list: (): ImportProblem[] => all(),
    countByCode: (): { readonly code: string; readonly count: number }[] => perCode(),
  };
}
