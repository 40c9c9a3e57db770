interface Entry<T> {
  readonly value: Promise<T>;
  bytes: number;
}

/** Keeps what was made last within a budget of bytes; makes what is asked for twice only once. */
export class ByteCache<T> {
  readonly #limit: number;
  readonly #bytesOf: (value: T) => number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry<T>>();
  #used = 0;

  constructor(limitBytes: number, bytesOf: (value: T) => number) {
    this.#limit = limitBytes;
    this.#bytesOf = bytesOf;
  }

  /** What is kept under `key`, or what `make` makes; failures are not kept. */
  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value;
    }
    const entry: Entry<T> = { value: make(), bytes: 0 };
    this.#entries.set(key, entry);
    entry.value.then(
      (value) => {
        entry.bytes = this.#bytesOf(value);
        this.#used += entry.bytes;
        this.#shrink();
      },
      () => this.#entries.delete(key),
    );
    return entry.value;
  }

  #shrink(): void {
    for (const [key, { bytes }] of this.#entries) {
      if (this.#used <= this.#limit) return;
      if (bytes === 0) continue; // still being made
      this.#entries.delete(key);
      this.#used -= bytes;
    }
  }
}
