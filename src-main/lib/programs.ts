import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { keptHeapEnvironment } from './kept-heap.ts';

/** How a process ended: with a code, or by a signal. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines it printed. */
  readonly lastLines: readonly string[];
}

/** A process of our own that takes messages of one type. */
export interface WorkerProcess<TMessage extends object = object> {
  /** Settles when the process is gone and everything it printed was read. */
  readonly exited: Promise<ProcessExit>;
  send(message: TMessage): void;
  kill(): void;
}

export interface ProcessStart {
  readonly entry: URL;
  readonly arguments?: readonly string[];
  readonly onMessage: (message: unknown) => void;
  /** Keeps its memory from one step or tile to the next, where the system can do that. */
  readonly keepsHeap?: boolean;
}

export type ProcessStarter = (start: ProcessStart) => WorkerProcess;

const keptLines = 100;
let starter: ProcessStarter = startNode;

/**
 * Starts a process of our own; messages may hold bytes. Everything that starts one comes here,
 * because each host has its own way.
 */
export function startProcess<TMessage extends object>(
  start: ProcessStart,
): WorkerProcess<TMessage> {
  return starter(start);
}

/** Set once, by a host or a process of it, before anything is started. */
export function setProcessStarter(hostStarter: ProcessStarter): void {
  starter = hostStarter;
}

function startNode({
  entry,
  arguments: words = [],
  onMessage,
  keepsHeap = false,
}: ProcessStart): WorkerProcess {
  const child = fork(entry, [...words], {
    env: { ...process.env, ...(keepsHeap ? keptHeapEnvironment() : {}) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const lastLines = keepLastLines([child.stdout, child.stderr]);
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

/** The array fills with what a process prints. */
export function keepLastLines(
  streams: readonly (ChildProcess['stdout'] | NodeJS.ReadableStream)[],
): string[] {
  const lines: string[] = [];
  for (const stream of streams) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
    });
  }
  return lines;
}
