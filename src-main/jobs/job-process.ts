import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ToJob } from './messages.ts';

/** How a process ended: with a code, or by a signal. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines it printed. */
  readonly lastLines: readonly string[];
}

/** A process that runs one job. */
export interface JobProcess {
  /** Settles when the process is gone and everything it printed was read. */
  readonly exited: Promise<ProcessExit>;
  send(message: ToJob): void;
  kill(): void;
}

const keptLines = 20;

/** Starts a job's process. The only place that starts processes. */
export function startProcess(entry: URL, onMessage: (message: unknown) => void): JobProcess {
  const child = fork(entry, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const lastLines = keepLastLines(child);
  child.on('message', onMessage);
  return {
    exited: new Promise((resolve) => {
      child.once('error', (error) => lastLines.push(error.message));
      child.once('close', (code, signal) => resolve({ code, signal, lastLines }));
    }),
    send: (message) => {
      // A process that has just ended cannot be told anything; `exited` says the rest.
      if (child.connected) child.send(message, () => undefined);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function keepLastLines(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
    });
  }
  return lines;
}
