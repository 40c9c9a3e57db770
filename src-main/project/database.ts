import Database from 'better-sqlite3';
import * as v from 'valibot';
import { AppError, messageOf } from '../lib/errors.ts';
import { log } from '../lib/log.ts';

export type Connection = Database.Database;
export type Parameters = Readonly<Record<string, string | number | Uint8Array | null>>;

const slowQueryMs = 50;

/** Opens an SQLite file with the settings every connection of a project uses. */
export function connect(file: string, options: { create: boolean }): Connection {
  return translated('open', () => {
    const db = new Database(file, { fileMustExist: !options.create, timeout: 5000 });
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    db.pragma('busy_timeout = 5000');
    db.pragma('trusted_schema = OFF');
    return db;
  });
}

/** Runs `work` in one `BEGIN IMMEDIATE` transaction; nested calls become savepoints. */
export function immediately<T>(db: Connection, work: () => T): T {
  return translated('transaction', () => db.transaction(work).immediate());
}

/**
 * As `immediately`, and when it returns everything stored so far survives a power cut too (the WAL is
 * synced; plain commits may be lost with the power, never half). For rows after which files go.
 */
export function durably<T>(db: Connection, work: () => T): T {
  db.pragma('synchronous = FULL');
  try {
    return immediately(db, work);
  } finally {
    db.pragma('synchronous = NORMAL');
  }
}

/** A prepared `SELECT` whose rows are checked by `schema`; `name` is what a slow query is logged as. */
export function selectAll<T>(
  db: Connection,
  name: string,
  sql: string,
  schema: v.GenericSchema<unknown, T>,
): (parameters?: Parameters) => T[] {
  const statement = translated(name, () => db.prepare<[Parameters], unknown>(sql));
  return (parameters = {}) =>
    timed(name, () => statement.all(parameters)).map((row) => checked(name, schema, row));
}

/** As `selectAll`, for at most one row. */
export function selectOne<T>(
  db: Connection,
  name: string,
  sql: string,
  schema: v.GenericSchema<unknown, T>,
): (parameters?: Parameters) => T | undefined {
  const statement = translated(name, () => db.prepare<[Parameters], unknown>(sql));
  return (parameters = {}) => {
    const row = timed(name, () => statement.get(parameters));
    return row === undefined ? undefined : checked(name, schema, row);
  };
}

/** A prepared statement that writes; returns how many rows changed. */
export function execute(
  db: Connection,
  name: string,
  sql: string,
): (parameters?: Parameters) => number {
  const statement = translated(name, () => db.prepare<[Parameters], unknown>(sql));
  return (parameters = {}) => timed(name, () => statement.run(parameters)).changes;
}

/** The schema of a BLOB column. */
export const blob = v.custom<Uint8Array>((value) => value instanceof Uint8Array);

/** The schema of a JSON column. */
export function json<T>(schema: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, T> {
  return v.pipe(v.string(), v.parseJson(), schema);
}

function checked<T>(name: string, schema: v.GenericSchema<unknown, T>, row: unknown): T {
  const result = v.safeParse(schema, row);
  if (result.success) return result.output;
  throw new AppError(
    'project.damaged',
    `The project database holds something unexpected (${name}: ${v.summarize(result.issues)}). ` +
      'Open a backup from the folder "backups", or make a new project.',
  );
}

function timed<T>(name: string, work: () => T): T {
  const started = performance.now();
  const result = translated(name, work);
  const ms = performance.now() - started;
  if (ms > slowQueryMs) log('warn', 'project', 'slow query', { name, ms: Math.round(ms) });
  return result;
}

/** SQLite's own failures as sentences; anything else passes through as the bug it is. */
function translated<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause;
    const known = sqliteErrors.find(([prefix]) => cause.code.startsWith(prefix));
    if (known === undefined) throw new Error(`${name}: ${messageOf(cause)}`, { cause });
    throw new AppError(known[1], known[2], { cause, details: { sqlite: cause.code, query: name } });
  }
}

const sqliteErrors: readonly (readonly [prefix: string, code: string, message: string])[] = [
  [
    'SQLITE_BUSY',
    'project.busy',
    'The project is in use by another program. Wait a moment and try again.',
  ],
  [
    'SQLITE_FULL',
    'disk.full',
    'The disk is full; nothing was lost, but nothing more can be stored. Free some space and continue.',
  ],
  [
    'SQLITE_CORRUPT',
    'project.damaged',
    'The project database is damaged. Replace project.sqlite by the newest file in "backups".',
  ],
  [
    'SQLITE_NOTADB',
    'project.damaged',
    'The file project.sqlite is not a project database. Check that the right folder was chosen.',
  ],
  [
    'SQLITE_READONLY',
    'project.read-only',
    'The project cannot be changed. Check that you may write to its folder.',
  ],
  [
    'SQLITE_CANTOPEN',
    'project.unreadable',
    'The project database cannot be opened. Check that the folder exists and that you may write to it.',
  ],
  [
    'SQLITE_IOERR',
    'project.disk-error',
    'The disk reported an error while the project was read or written. Check the disk.',
  ],
];
