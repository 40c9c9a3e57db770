import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { backUp } from './backups.ts';
import { immediately, type Connection } from './database.ts';
import { initialTables } from './migrations/0010-initial.ts';
import { labelTables } from './migrations/0020-labels.ts';

export interface Migration {
  /** The `user_version` after it, in steps of ten. */
  readonly version: number;
  readonly sql: string;
}

/** In order; a released one is never edited. */
export const migrations: readonly Migration[] = [
  { version: 10, sql: initialTables },
  { version: 20, sql: labelTables },
];

/**
 * Brings a database to the newest version: verified backup first, then each migration in a
 * transaction of its own that also sets the version.
 * @throws AppError `project.newer-version`, `project.backup-failed`, `project.damaged`
 */
export function migrate(
  db: Connection,
  backupFolder: string,
  list: readonly Migration[] = migrations,
): void {
  const current = versionOf(db);
  refuseNewer(current, list);
  const pending = list.filter((migration) => migration.version > current);
  if (pending.length === 0) return;
  if (current > 0) backUp(db, backupFolder, current);
  for (const migration of pending) apply(db, migration);
}

/** Refuses a database this program cannot work with as it is (a job process never migrates). */
export function requireCurrentVersion(db: Connection): void {
  const current = versionOf(db);
  refuseNewer(current, migrations);
  if (current < newest(migrations)) {
    throw new AppError(
      'project.older-version',
      'The project was made by an older version. Open it once with the program before running jobs.',
    );
  }
}

function apply(db: Connection, migration: Migration): void {
  immediately(db, () => {
    db.exec(migration.sql);
    db.pragma(`user_version = ${migration.version}`);
    const broken = v.parse(v.array(v.unknown()), db.pragma('foreign_key_check'));
    if (broken.length > 0) {
      throw new AppError(
        'project.damaged',
        `The project could not be updated to version ${migration.version}: ${broken.length} entries ` +
          'point to something that is gone. It was left as it was.',
      );
    }
  });
}

function refuseNewer(current: number, list: readonly Migration[]): void {
  if (current <= newest(list)) return;
  throw new AppError(
    'project.newer-version',
    'The project was made by a newer version of DeCon Studio. Install that version to open it.',
    { details: { found: current, supported: newest(list) } },
  );
}

function newest(list: readonly Migration[]): number {
  return Math.max(...list.map((migration) => migration.version));
}

function versionOf(db: Connection): number {
  return v.parse(v.number(), db.pragma('user_version', { simple: true }));
}
