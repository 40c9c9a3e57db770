/** More than this many windows a second is faster than anyone can look. */
const scrubbing = 4;
/** Wheels and scroll bars move in steps: a slow one alone does not mean that the user looks. */
const slowSteps = 3;
/** Standing still this long does. */
export const settledMs = 90;

/** Tells scrolling that looks from scrolling that travels. */
export class ScrollPace {
  #top = 0;
  #at = -Infinity;
  #slow = slowSteps;

  /** @returns true when cells fly past too fast to be looked at */
  isScrubbing(top: number, heightPx: number, nowMs: number): boolean {
    const elapsed = Math.min(100, Math.max(4, nowMs - this.#at));
    const speed = (Math.abs(top - this.#top) / Math.max(1, heightPx) / elapsed) * 1000;
    this.#slow = speed > scrubbing ? 0 : this.#slow + 1;
    this.#top = top;
    this.#at = nowMs;
    return this.#slow < slowSteps;
  }

  /** The user stopped. */
  settle(): void {
    this.#slow = slowSteps;
  }
}
