import type { Topic } from '../contract/jobs.ts';

type Listener = (topics: readonly Topic[]) => void;

/** Tells the windows which parts of the project may have changed. */
export class Changes {
  readonly #listeners = new Set<Listener>();

  touch(...topics: readonly Topic[]): void {
    for (const listener of this.#listeners) listener(topics);
  }

  /** @returns the function that ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
