import { AppError, CancelledError, messageOf } from '../lib/errors.ts';
import { log, stackOf } from '../lib/log.ts';
import type { Progress } from '../lib/progress.ts';
import { formatProgress } from './format.ts';

/** Where a command tells what happens: text for people, or one JSON object a line. */
export interface Output {
  /** Text for people only. */
  text(text: string): void;
  /** An object for programs only; `type` names its keys for good. */
  record(type: string, fields: Readonly<Record<string, unknown>>): void;
  /** Something both should know. */
  notice(message: string): void;
  progress(progress: Progress): void;
  /** @returns the exit code: 2 expected, 3 cancelled, 1 bug */
  failure(error: unknown): number;
}

export const exitCodes = { done: 0, bug: 1, refused: 2, cancelled: 3 } as const;

const lineEveryMs = 10_000;

/** Text with one line that is updated in place; without a terminal, a line every ten seconds. */
export function createTextOutput(): Output {
  const isTerminal = process.stdout.isTTY;
  let hasLine = false;
  let shownAt = -Infinity;
  let phase = '';
  const clear = (): void => {
    if (hasLine) process.stdout.write('\r\x1b[K');
    hasLine = false;
  };
  return {
    text: (text) => {
      clear();
      console.log(text);
    },
    record: () => undefined,
    notice: (message) => {
      clear();
      console.log(message);
    },
    progress: (progress) => {
      if (isTerminal) {
        const width = Math.max(process.stdout.columns - 1, 40);
        process.stdout.write(`\r\x1b[K${formatProgress(progress).slice(0, width)}`);
        hasLine = true;
      } else if (progress.phase !== phase || performance.now() - shownAt > lineEveryMs) {
        shownAt = performance.now();
        phase = progress.phase;
        console.log(formatProgress(progress));
      }
    },
    failure: (error) => {
      clear();
      const { exitCode, message } = describe(error);
      console.error(message);
      return exitCode;
    },
  };
}

/** One object a line on standard output, errors included. */
export function createJsonOutput(): Output {
  const print = (type: string, fields: Readonly<Record<string, unknown>>): void =>
    console.log(JSON.stringify({ type, ...fields }));
  return {
    text: () => undefined,
    record: print,
    notice: (message) => print('notice', { message }),
    progress: (progress) => print('progress', { ...progress }),
    failure: (error) => {
      const { exitCode, code, message } = describe(error);
      print('error', { code, message });
      return exitCode;
    },
  };
}

/** A job that ended by a bug; it has told the log already. */
export class BugError extends Error {}

function describe(error: unknown): { exitCode: number; code: string; message: string } {
  if (error instanceof AppError) {
    return { exitCode: exitCodes.refused, code: error.code, message: error.message };
  }
  if (error instanceof CancelledError) {
    return { exitCode: exitCodes.cancelled, code: 'cancelled', message: error.message };
  }
  if (error instanceof BugError) {
    return { exitCode: exitCodes.bug, code: 'internal', message: error.message };
  }
  log('error', 'cli', messageOf(error), { stack: stackOf(error) });
  return {
    exitCode: exitCodes.bug,
    code: 'internal',
    message: `Something went wrong inside the program (${messageOf(error)}). Details are in the log.`,
  };
}
