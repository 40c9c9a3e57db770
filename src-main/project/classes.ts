import * as v from 'valibot';
import { AppError, defined } from '../lib/errors.ts';
import { execute, immediately, selectAll, selectOne, type Connection } from './database.ts';

const classSchema = v.object({
  /** The value in training masks: 0, 1, 2... */
  classIndex: v.number(),
  name: v.string(),
  /** `#rrggbb` */
  color: v.string(),
  /** What painted labels hold for it; never given to another class. */
  labelValue: v.number(),
  /** The digit on the keyboard that chooses it. */
  digit: v.nullable(v.number()),
});

export type ClassRow = Readonly<v.InferOutput<typeof classSchema>>;

/** A class as imports know it; the rest follows from its name. */
export type NewClass = Pick<ClassRow, 'classIndex' | 'name' | 'color'>;

export type Classes = ReturnType<typeof createClasses>;

const maxLabelValue = 254;

/** The classes of the project, in index order. */
export function createClasses(db: Connection) {
  const insert = execute(
    db,
    'classes.add',
    `INSERT INTO classes (class_index, name, color, label_value, digit)
       VALUES (@classIndex, @name, @color, @labelValue, @digit)`,
  );
  const clear = execute(db, 'classes.clear', 'DELETE FROM classes');
  const all = selectAll(
    db,
    'classes.list',
    `SELECT class_index AS classIndex, name, color, label_value AS labelValue, digit
       FROM classes ORDER BY class_index`,
    classSchema,
  );
  const highestUsed = selectOne(
    db,
    'classes.highestValue',
    'SELECT max(label_value) AS value FROM used_label_values',
    v.object({ value: v.nullable(v.number()) }),
  );
  const use = execute(
    db,
    'classes.useValue',
    'INSERT INTO used_label_values (label_value) VALUES (@value) ON CONFLICT DO NOTHING',
  );

  const unusedValue = (): number => {
    const value = (defined(highestUsed(), 'highest label value').value ?? -1) + 1;
    if (value <= maxLabelValue) return value;
    throw new AppError(
      'classes.too-many',
      `This project has had ${maxLabelValue + 1} classes, more than a label can tell apart. Start a new project.`,
    );
  };
  const replaceWith = (rows: readonly ClassRow[]): void => {
    clear();
    for (const row of rows) {
      insert({ ...row });
      use({ value: row.labelValue });
    }
  };

  return {
    list: (): ClassRow[] => all(),
    /**
     * Replaces all classes in one transaction. A class whose name is there already keeps its label
     * value and digit, the others get unused ones.
     */
    replaceAll: (classes: readonly NewClass[]): void =>
      immediately(db, () => {
        const known = new Map(all().map((row) => [row.name, row]));
        const free = freeDigits(classes.flatMap(({ name }) => known.get(name)?.digit ?? []));
        clear();
        for (const { classIndex, name, color } of classes) {
          const { labelValue, digit } = known.get(name) ?? {
            labelValue: unusedValue(),
            digit: free.shift() ?? null,
          };
          known.delete(name); // a second class of that name is another one
          insert({ classIndex, name, color, labelValue, digit });
          use({ value: labelValue });
        }
      }),
    /** Replaces all classes as they are given. */
    setAll: (rows: readonly ClassRow[]): void => immediately(db, () => replaceWith(rows)),
    /** A label value that no class has ever had. @throws AppError `classes.too-many` */
    unusedValue,
  };
}

/** The digits 1 to 9 that no class has. */
export function freeDigits(taken: readonly number[]): number[] {
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((digit) => !taken.includes(digit));
}
