import { throwIfCancelled } from './errors.ts';

/**
 * Runs `work` for each item, at most `limit` at a time, starting in order. After the first failure
 * or an abort no further item starts; the failure is thrown once all running ones have ended.
 */
export async function forEachParallel<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const entries = items[Symbol.iterator]();
  const failures: unknown[] = [];
  let started = 0;
  const worker = async () => {
    while (failures.length === 0) {
      try {
        throwIfCancelled(signal);
        const next = entries.next();
        if (next.done === true) return;
        await work(next.value, started++);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failures.length > 0) throw failures[0];
}

/** Lets tasks run side by side as long as their announced bytes fit a budget; first come first served. */
export class ByteBudget {
  readonly #limit: number;
  #used = 0;
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = [];

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** A task larger than the whole budget runs alone. */
  async run<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    const claim = Math.min(bytes, this.#limit);
    if (this.#waiting.length > 0 || this.#used + claim > this.#limit) {
      await new Promise<void>((start) => this.#waiting.push({ bytes: claim, start }));
    } else {
      this.#used += claim;
    }
    try {
      return await task();
    } finally {
      this.#used -= claim;
      this.#startWaiting();
    }
  }

  #startWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#used + next.bytes > this.#limit) return;
      this.#used += next.bytes;
      this.#waiting.shift();
      next.start();
    }
  }
}
