import { readFileSync } from 'node:fs';
import { AppError, messageOf } from '../lib/errors.ts';
import { log, stackOf } from '../lib/log.ts';
import type { ProcessExit } from '../lib/programs.ts';
import type { StoredError } from '../project/values.ts';

const outOfMemory: StoredError = {
  code: 'job.out-of-memory',
  message:
    'The computer ran out of memory. Everything stored so far is safe. ' +
    'Start again with a smaller --batch or --size, or close other programs and continue.',
};

const memoryPhrases =
  /heap out of memory|bad_alloc|failed to allocate memory|allocation failed|out of memory/i;

/** What a job keeps of an error that its handler threw. Bugs go to the log with their stack. */
export function describeFailure(error: unknown): StoredError {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  log('error', 'jobs', messageOf(error), { stack: stackOf(error) });
  if (memoryPhrases.test(messageOf(error))) return outOfMemory;
  return {
    code: 'internal',
    message: `Something went wrong inside the program (${messageOf(error)}). Details are in the log.`,
  };
}

/** What a job keeps when its process ended without a word. */
export function describeExit(exit: ProcessExit, killedForMemory: boolean): StoredError {
  const output = exit.lastLines.join('\n');
  log('error', 'jobs', 'job process ended', { code: exit.code, signal: exit.signal, output });
  if (killedForMemory || memoryPhrases.test(output)) return outOfMemory;
  const how = exit.signal ?? `exit code ${exit.code}`;
  const last = exit.lastLines.at(-1);
  return {
    code: 'job.crashed',
    message:
      `The job's process ended unexpectedly (${how}). Everything stored so far is safe.` +
      (last === undefined ? '' : ` It last said: ${last}`),
  };
}

/** How many processes the Linux kernel has killed for memory; a rise tells who sent a SIGKILL. */
export function memoryKills(): number {
  if (process.platform !== 'linux') return 0;
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
