import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = Readonly<Record<string, unknown>>;

const maxFileBytes = 5_000_000;
const maxFiles = 5;
let folder: string | undefined;

/** Sends log lines to `decon.log` in the folder from now on; before that they are dropped. */
export function openLog(logFolder: string): void {
  mkdirSync(logFolder, { recursive: true });
  folder = logFolder;
}

/** The folder of this user's logs, by the habits of each system. */
export function userLogFolder(): string {
  const home = homedir();
  if (process.platform === 'darwin') return join(home, 'Library', 'Logs', 'DeCon Studio');
  if (process.platform === 'win32') {
    return join(process.env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'DeCon Studio');
  }
  return join(process.env['XDG_STATE_HOME'] ?? join(home, '.local', 'state'), 'decon-studio');
}

/** Writes one JSON line. Never pixels or labels; the home folder is shortened to `~`. */
export function log(level: LogLevel, scope: string, message: string, fields: LogFields = {}): void {
  if (folder === undefined) return;
  const line = JSON.stringify({ time: new Date().toISOString(), level, scope, message, ...fields });
  try {
    const file = join(folder, 'decon.log');
    if (existsSync(file) && statSync(file).size > maxFileBytes) rotate(file);
    appendFileSync(file, `${line.replaceAll(homedir(), '~')}\n`);
  } catch {
    // A log that cannot be written must never end the work it describes.
  }
}

/** The stack of a bug for the log; nothing else may show it. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function rotate(file: string): void {
  rmSync(`${file}.${maxFiles - 1}`, { force: true });
  for (let i = maxFiles - 2; i >= 1; i--) {
    if (existsSync(`${file}.${i}`)) renameSync(`${file}.${i}`, `${file}.${i + 1}`);
  }
  renameSync(file, `${file}.1`);
}
