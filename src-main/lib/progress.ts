/** What a long task tells while it works. Times in seconds, memory in bytes. */
export interface Progress {
  /** One short phrase, e.g. "Learning from unlabelled images". */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'file' | 'image' | 'step' | 'tile' | 'run';
  /** Remaining time as an honest range, when it can be told. */
  readonly remainingSeconds?: readonly [low: number, high: number];
  readonly imagesPerSecond?: number;
  readonly memoryBytes?: number;
  /** Named figures of the moment: loss parts, scores, share of time waited for data. */
  readonly values?: Readonly<Record<string, number>>;
}

/** How the one who started a task steers it; checked at step boundaries. */
export interface RunControl {
  /** Aborted on cancel: stop at once, throw CancelledError, keep what is on disk. */
  readonly signal: AbortSignal;
  /** `pause`: write a checkpoint and return; `stop`: write the final model and return. */
  requested(): 'none' | 'pause' | 'stop';
  report(progress: Progress): void;
  /** A sentence for the log and the user, e.g. a fallback from GPU to CPU. */
  notice(message: string): void;
}
