import * as v from 'valibot';
import { defined } from './errors.ts';
import { programEntries, type ProgramName } from './program-entries.ts';
import type { ProcessExit, ProcessStarter, WorkerProcess } from './programs.ts';

const programName = v.picklist(['job', 'deviceProbe', 'pictures'] satisfies ProgramName[]);

const toMainSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('process-start'),
    number: v.number(),
    program: programName,
    words: v.array(v.string()),
  }),
  v.strictObject({
    type: v.literal('process-send'),
    number: v.number(),
    message: v.looseObject({}),
  }),
  v.strictObject({ type: v.literal('process-kill'), number: v.number() }),
]);

const fromMainSchema = v.variant('type', [
  v.strictObject({ type: v.literal('process-message'), number: v.number(), message: v.unknown() }),
  v.strictObject({
    type: v.literal('process-exited'),
    number: v.number(),
    exit: v.strictObject({
      code: v.nullable(v.number()),
      signal: v.nullable(v.string()),
      lastLines: v.array(v.string()),
    }),
  }),
]);

type Post = (message: object) => void;

/** Whether a message belongs to the relay and not to the work of a process. */
export function isRelayed(message: unknown): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    typeof message.type === 'string' &&
    message.type.startsWith('process-')
  );
}

/** The end in a process that cannot start others: it asks its parent, by the program's name. */
export function relayStarter(post: Post): {
  readonly start: ProcessStarter;
  receive(message: unknown): void;
} {
  const started = new Map<
    number,
    { onMessage(message: unknown): void; onExit(exit: ProcessExit): void }
  >();
  let last = 0;
  return {
    start: ({ entry, arguments: words = [], onMessage }) => {
      const number = ++last;
      const exited = new Promise<ProcessExit>((onExit) =>
        started.set(number, { onMessage, onExit }),
      );
      post({ type: 'process-start', number, program: nameOf(entry), words: [...words] });
      return {
        exited,
        send: (message) => post({ type: 'process-send', number, message }),
        kill: () => post({ type: 'process-kill', number }),
      };
    },
    receive: (raw) => {
      const message = v.parse(fromMainSchema, raw);
      const known = started.get(message.number);
      if (message.type === 'process-message') return known?.onMessage(message.message);
      started.delete(message.number);
      known?.onExit(message.exit);
    },
  };
}

/** The end in main, one for each child: starts what the child asks for, and ends it with the child. */
export class ProcessRelay {
  readonly #start: ProcessStarter;
  readonly #post: Post;
  readonly #running = new Map<number, WorkerProcess>();

  constructor(start: ProcessStarter, post: Post) {
    this.#start = start;
    this.#post = post;
  }

  receive(raw: unknown): void {
    const message = v.parse(toMainSchema, raw);
    const { number } = message;
    if (message.type === 'process-send') return this.#running.get(number)?.send(message.message);
    if (message.type === 'process-kill') return this.#running.get(number)?.kill();
    const child = this.#start({
      entry: programEntries[message.program],
      arguments: message.words,
      onMessage: (inner) => this.#post({ type: 'process-message', number, message: inner }),
    });
    this.#running.set(number, child);
    void child.exited.then((exit) => {
      this.#running.delete(number);
      this.#post({ type: 'process-exited', number, exit });
    });
  }

  dispose(): void {
    for (const child of this.#running.values()) child.kill();
  }
}

function nameOf(entry: URL): ProgramName {
  const names = programName.options;
  return defined(
    names.find((name) => programEntries[name].href === entry.href),
    `program at ${entry.href}`,
  );
}
