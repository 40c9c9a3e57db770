import { startProcess as start, type WorkerProcess } from '../lib/programs.ts';

export type { ProcessExit, WorkerProcess } from '../lib/programs.ts';

/** Starts a process; messages may hold bytes. */
export function startProcess<TMessage extends object>(
  entry: URL,
  onMessage: (message: unknown) => void,
): WorkerProcess<TMessage> {
  return start({ entry, onMessage });
}
