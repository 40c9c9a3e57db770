/** One step of undo. */
export interface Stroke {
  readonly id: string;
  readonly tool: string;
}

/** What one commit carries: the stroke, and the tiles it changed, whole. */
export interface StrokePart {
  readonly stroke: Stroke;
  readonly tiles: ReadonlyMap<number, Uint8Array>;
  /** The stroke is over. */
  readonly isFinal: boolean;
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
  /** The stroke whose newest changes were not taken yet. */
  #stroke: Stroke | undefined;
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
    return this.#stroke === undefined && this.#taking === 0 && this.#waiting.length === 0;
  }

  /** The stroke changed tiles. */
  changed(stroke: Stroke): void {
    if (this.#stroke === undefined) this.#tell({ type: 'storing' });
    this.#stroke = stroke;
    this.#timer ??= setTimeout(() => void this.#takeAndStore(undefined), commitEveryMs);
  }

  /** The stroke is over: stores the rest of it. As `flush`. */
  end(stroke: Stroke): Promise<boolean> {
    return this.#takeAndStore(stroke);
  }

  /**
   * Takes what was painted so far, at once, and stores it. Never throws: a failure shows in the
   * state. @returns false when something could not be stored
   */
  flush(): Promise<boolean> {
    return this.#takeAndStore(undefined);
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

  /** @param ended the stroke that is over now */
  async #takeAndStore(ended: Stroke | undefined): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const stroke = ended ?? this.#stroke;
    this.#stroke = undefined;
    const taken = stroke && this.#take(stroke, ended !== undefined);
    this.#work = this.#work.then(() => this.#store(taken));
    await this.#work;
    return this.isIdle;
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

  async #take(stroke: Stroke, isFinal: boolean): Promise<Taken> {
    this.#taking++;
    try {
      const tiles = await this.#options.take();
      return tiles.size > 0 || isFinal ? { part: { stroke, tiles, isFinal } } : {};
    } catch (error) {
      this.#stroke ??= stroke; // still to be taken
      return { error: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      this.#taking--;
    }
  }

  /** Parts of one stroke that wait are stored together: the newest tile counts. */
  #add(part: StrokePart): void {
    const last = this.#waiting.at(-1);
    if (last?.stroke.id !== part.stroke.id) this.#waiting.push(part);
    else this.#waiting.splice(-1, 1, { ...part, tiles: new Map([...last.tiles, ...part.tiles]) });
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
