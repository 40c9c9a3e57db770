import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { AppError, messageOf } from '../lib/errors.ts';
import { log } from '../lib/log.ts';
import { connect, selectOne, type Connection } from './database.ts';
import { now } from './values.ts';

const keptBackups = 5;
const dayMs = 24 * 3600 * 1000;

/**
 * Backs up labels that were changed since the newest backup, once a day. Called when a project is
 * opened; a backup that fails is logged and never keeps anyone from working.
 */
export function backUpDaily(db: Connection, folder: string, nowMs = now()): void {
  try {
    const newest = newestBackupMs(folder);
    if (nowMs - newest < dayMs || lastLabelChange(db) <= newest) return;
    const version = v.parse(v.number(), db.pragma('user_version', { simple: true }));
    backUp(db, folder, version);
  } catch (error) {
    log('warn', 'project', 'daily backup failed', { why: messageOf(error) });
  }
}

/**
 * Writes a verified copy of the database into the folder and keeps the newest few.
 * @returns the path of the copy
 */
export function backUp(db: Connection, folder: string, version: number): string {
  mkdirSync(folder, { recursive: true });
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const path = join(folder, `project-v${version}-${stamp}.sqlite`);
  db.prepare('VACUUM INTO ?').run(path);
  const copy = connect(path, { create: false });
  try {
    if (text(copy, 'quick_check') !== 'ok') {
      throw new AppError(
        'project.backup-failed',
        `The backup ${path} could not be verified, so the project was left as it was. Check the disk.`,
      );
    }
    copy.pragma('journal_mode = DELETE');
  } finally {
    copy.close();
  }
  removeOldBackups(folder);
  return path;
}

/** When the newest backup was made; 0 without one. */
function newestBackupMs(folder: string): number {
  mkdirSync(folder, { recursive: true });
  const stamps = backupsIn(folder).map(stampOf).sort();
  const time = /^(.*T\d\d)-(\d\d)-(\d\d)-(\d+Z)\.sqlite$/.exec(stamps.at(-1) ?? '');
  return time === null ? 0 : Date.parse(`${time[1]}:${time[2]}:${time[3]}.${time[4]}`);
}

function lastLabelChange(db: Connection): number {
  const last = selectOne(
    db,
    'backups.lastLabelChange',
    'SELECT max(changed_at) AS at FROM label_images',
    v.object({ at: v.nullable(v.number()) }),
  );
  return last()?.at ?? 0;
}

function text(db: Connection, pragma: string): string {
  return v.parse(v.string(), db.pragma(pragma, { simple: true }));
}

function removeOldBackups(folder: string): void {
  const newestFirst = backupsIn(folder).sort((a, b) => stampOf(b).localeCompare(stampOf(a)));
  for (const name of newestFirst.slice(keptBackups)) rmSync(join(folder, name));
}

function stampOf(backup: string): string {
  return backup.replace(/^project-v\d+-/, '');
}

function backupsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^project-v\d+-.*\.sqlite$/.test(name));
}
