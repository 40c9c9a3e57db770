import * as v from 'valibot';
import { execute, immediately, selectAll, type Connection } from './database.ts';

const classSchema = v.object({
  /** The value in training masks: 0, 1, 2... */
  classIndex: v.number(),
  name: v.string(),
  /** `#rrggbb` */
  color: v.string(),
});

export type ClassRow = Readonly<v.InferOutput<typeof classSchema>>;

export type Classes = ReturnType<typeof createClasses>;

/** The classes of the project, in index order. */
export function createClasses(db: Connection) {
  const insert = execute(
    db,
    'classes.add',
    'INSERT INTO classes (class_index, name, color) VALUES (@classIndex, @name, @color)',
  );
  const clear = execute(db, 'classes.clear', 'DELETE FROM classes');
  const all = selectAll(
    db,
    'classes.list',
    'SELECT class_index AS classIndex, name, color FROM classes ORDER BY class_index',
    classSchema,
  );
  return {
    list: (): ClassRow[] => all(),
    /** Replaces all classes in one transaction. */
    replaceAll: (classes: readonly ClassRow[]): void =>
      immediately(db, () => {
        clear();
        for (const { classIndex, name, color } of classes) insert({ classIndex, name, color });
      }),
  };
}
