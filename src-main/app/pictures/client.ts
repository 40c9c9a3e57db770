import { availableParallelism } from 'node:os';
import { detach } from '../../lib/detach.ts';
import { AppError, CancelledError } from '../../lib/errors.ts';
import { log } from '../../lib/log.ts';
import { programEntries } from '../../lib/program-entries.ts';
import { startProcess } from '../../lib/programs.ts';
import { parseFromPictures, type Picture, type ToPictures } from './messages.ts';
import type { TaskInput, TaskName } from './tasks.ts';

type Process = ReturnType<typeof startProcess<ToPictures>>;

export interface PictureClientOptions {
  /** The program of the picture process. */
  readonly entry?: URL;
  /** How many pictures are made side by side. */
  readonly cores?: number;
  /** How many wait; beyond them the oldest is given up. */
  readonly maxWaiting?: number;
}

interface Order {
  readonly number: number;
  readonly task: TaskName;
  readonly input: unknown;
  resolve(picture: Picture): void;
  reject(error: Error): void;
}

/**
 * Main's side of the picture process, which starts with the first picture and again after it died.
 * What was asked for last is made first: that is what the user looks at now.
 */
export class PictureClient {
  readonly #entry: URL;
  readonly #cores: number;
  readonly #maxWaiting: number;
  /** Newest last. */
  readonly #waiting: Order[] = [];
  readonly #running = new Map<number, Order>();
  #process: Process | undefined;
  #isDisposed = false;
  #lastNumber = 0;

  constructor({ entry, cores, maxWaiting = 256 }: PictureClientOptions = {}) {
    this.#entry = entry ?? programEntries.pictures;
    this.#cores = cores ?? availableParallelism();
    this.#maxWaiting = maxWaiting;
  }

  /** @throws AppError what the task threw; CancelledError when the signal aborts or too many wait */
  make<TName extends TaskName>(
    task: TName,
    input: TaskInput<TName>,
    signal: AbortSignal,
  ): Promise<Picture> {
    return new Promise((resolve, reject) => {
      if (signal.aborted || this.#isDisposed) return reject(new CancelledError());
      const number = ++this.#lastNumber;
      const onAbort = (): void => this.#cancel(number);
      const settle = (): void => signal.removeEventListener('abort', onAbort);
      signal.addEventListener('abort', onAbort);
      this.#waiting.push({
        number,
        task,
        input,
        resolve: (picture) => (settle(), resolve(picture)),
        reject: (error) => (settle(), reject(error)),
      });
      if (this.#waiting.length > this.#maxWaiting) {
        this.#waiting.shift()?.reject(new CancelledError('Too many pictures wait.'));
      }
      this.#next();
    });
  }

  /** Ends the process; what waits or runs is cancelled. */
  dispose(): void {
    this.#isDisposed = true;
    this.#process?.kill();
    this.#process = undefined;
    for (const order of [...this.#waiting, ...this.#running.values()]) {
      order.reject(new CancelledError());
    }
    this.#waiting.length = 0;
    this.#running.clear();
  }

  #cancel(number: number): void {
    const place = this.#waiting.findIndex((order) => order.number === number);
    if (place >= 0) return this.#waiting.splice(place, 1)[0]?.reject(new CancelledError());
    // It keeps its turn until the process answers: the decoder may still be at work.
    this.#running.get(number)?.reject(new CancelledError());
    this.#process?.send({ type: 'cancel', number });
  }

  #next(): void {
    for (let place = this.#waiting.length - 1; place >= 0; place--) {
      if (this.#running.size > this.#cores) return;
      const order = this.#waiting[place];
      if (order === undefined || this.#runningOf(order.task) >= this.#cores) continue;
      this.#waiting.splice(place, 1);
      this.#running.set(order.number, order);
      this.#process ??= this.#started();
      const { number, task, input } = order;
      this.#process.send({ type: 'make', number, task, input });
    }
  }

  /** One task that takes long, such as preparing a huge image, leaves a turn to the others. */
  #runningOf(task: TaskName): number {
    return [...this.#running.values()].filter((order) => order.task === task).length;
  }

  #started(): Process {
    const started = startProcess<ToPictures>({
      entry: this.#entry,
      onMessage: (raw) => this.#receive(raw),
    });
    detach(
      started.exited.then(({ code, signal, lastLines }) => {
        if (this.#process !== started) return;
        this.#process = undefined;
        const output = lastLines.join('\n');
        log('error', 'pictures', 'picture process ended', { code, signal, output });
        const lost = [...this.#running.values()];
        this.#running.clear();
        for (const order of lost) order.reject(crashed());
        this.#next();
      }),
      'pictures',
    );
    return started;
  }

  #receive(raw: unknown): void {
    const message = parseFromPictures(raw);
    const order = this.#running.get(message.number);
    this.#running.delete(message.number);
    if (message.type === 'made') order?.resolve(message.picture);
    else order?.reject(new AppError(message.error.code, message.error.message));
    this.#next();
  }
}

function crashed(): AppError {
  return new AppError(
    'pictures.crashed',
    'The picture could not be shown: the program that decodes it ran out of memory or ended. ' +
      'Nothing is lost. Try again, or close other programs first.',
  );
}
