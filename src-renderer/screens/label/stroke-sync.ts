/** What one commit carries: whole tiles, and the stroke that changed them. */
export interface StrokePart {
  readonly strokeId: string;
  readonly tiles: ReadonlyMap<number, Uint8Array>;
}

/** What the window shows about strokes that are not stored yet. */
export type SyncState =
  | { readonly type: 'stored' }
  | { readonly type: 'storing' }
  | { readonly type: 'failed'; readonly message: string };

export interface StrokeSyncOptions {
  /** The tiles painted since it was asked last. */
  readonly take: () => Promise<ReadonlyMap<number, Uint8Array>>;
  readonly send: (part: StrokePart) => Promise<void>;
  readonly onState: (state: SyncState) => void;
  /** The sentence to show for what `send` threw. */
  readonly sentenceOf: (error: unknown) => string;
}

/** A part to store, or why it could not be read. */
interface Taken {
  readonly part?: StrokePart;
  readonly error?: Error;
}

/** A stroke that goes on is stored this often. */
const commitEveryMs = 400;
const retryAfterMs = [1000, 2000, 5000] as const;

/**
 * Stores strokes while they are painted: at the latest 400 ms after their first change and when
 * they end, one after the other, in order. A part that can't be stored stays and is tried again.
 */
export class StrokeSync {
  readonly #options: StrokeSyncOptions;
  readonly #waiting: StrokePart[] = [];
  #strokeId: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #taking = 0;
  #work: Promise<void> = Promise.resolve();
  #isDisposed = false;

  constructor(options: StrokeSyncOptions) {
    this.#options = options;
  }

  /** Everything that was painted is stored. */
  get isIdle(): boolean {
    return this.#strokeId === undefined && this.#taking === 0 && this.#waiting.length === 0;
  }

  /** The stroke changed tiles. */
  changed(strokeId: string): void {
    if (this.#strokeId === undefined) this.#tell({ type: 'storing' });
    this.#strokeId = strokeId;
    this.#timer ??= setTimeout(() => void this.flush(), commitEveryMs);
  }

  /**
   * Takes what was painted so far, at once, and stores it; also the way to end a stroke. Never
   * throws: a failure shows in the state. @returns false when something could not be stored
   */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const strokeId = this.#strokeId;
    this.#strokeId = undefined;
    const taken = strokeId === undefined ? undefined : this.#take(strokeId);
    this.#work = this.#work.then(() => this.#store(taken));
    await this.#work;
    return this.isIdle;
  }

  /** Tries again at once what could not be stored. */
  retry(): Promise<boolean> {
    this.#failures = 0;
    return this.flush();
  }

  /** Ends the timers; call `flush` before. */
  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
  }

  async #store(taken: Promise<Taken> | undefined): Promise<void> {
    clearTimeout(this.#retry);
    try {
      const answer = await taken;
      if (answer?.part !== undefined) this.#add(answer.part);
      for (let part = this.#waiting[0]; part !== undefined; part = this.#waiting[0]) {
        await this.#options.send(part);
        this.#waiting.shift();
        this.#failures = 0;
      }
      if (answer?.error !== undefined) throw answer.error;
      if (this.isIdle) this.#tell({ type: 'stored' });
    } catch (error) {
      this.#fail(error);
    }
  }

  async #take(strokeId: string): Promise<Taken> {
    this.#taking++;
    try {
      const tiles = await this.#options.take();
      return tiles.size > 0 ? { part: { strokeId, tiles } } : {};
    } catch (error) {
      this.#strokeId ??= strokeId; // still to be taken
      return { error: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      this.#taking--;
    }
  }

  /** Parts of one stroke that wait are stored together: the newest tile counts. */
  #add(part: StrokePart): void {
    const last = this.#waiting.at(-1);
    if (last?.strokeId !== part.strokeId) this.#waiting.push(part);
    else {
      const tiles = new Map([...last.tiles, ...part.tiles]);
      this.#waiting.splice(-1, 1, { strokeId: part.strokeId, tiles });
    }
  }

  #fail(error: unknown): void {
    if (this.#isDisposed) return;
    this.#tell({ type: 'failed', message: this.#options.sentenceOf(error) });
    const delayMs = retryAfterMs[this.#failures] ?? retryAfterMs[2];
    this.#failures++;
    this.#retry = setTimeout(() => void this.flush(), delayMs);
  }

  #tell(state: SyncState): void {
    if (!this.#isDisposed) this.#options.onState(state);
  }
}
