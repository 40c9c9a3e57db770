/** Tells how long the rest of a steady task takes from how long its last steps took. */
export class Pace {
  readonly #recent: number[] = [];
  readonly #window: number;

  constructor(window = 60) {
    this.#window = window;
  }

  /** Notes one finished step. */
  add(seconds: number): void {
    this.#recent.push(seconds);
    if (this.#recent.length > this.#window) this.#recent.shift();
  }

  /** Median seconds a step; undefined before the first. */
  get median(): number | undefined {
    return this.#quantile(0.5);
  }

  /**
   * The remaining seconds as a range: from the mean of the window, give or take its usual
   * variation and at least 5 %. Undefined for the first two steps, which load and allocate.
   */
  remaining(steps: number): readonly [low: number, high: number] | undefined {
    const [low, high] = [this.#quantile(0.2), this.#quantile(0.8)];
    if (low === undefined || high === undefined || this.#recent.length < 3) return undefined;
    const mean = this.#recent.reduce((sum, value) => sum + value, 0) / this.#recent.length;
    return [steps * Math.min(low, mean * 0.95), steps * Math.max(high, mean * 1.05)];
  }

  #quantile(share: number): number | undefined {
    const sorted = [...this.#recent].sort((a, b) => a - b);
    return sorted[Math.round((sorted.length - 1) * share)];
  }
}
