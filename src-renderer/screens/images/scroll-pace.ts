/** More than this many windows a second is faster than anyone can look. */
const scrubbing = 4;
/** Standing still this long means the user looks. */
export const settledMs = 90;

/** Tells scrolling that looks from scrolling that travels. */
export class ScrollPace {
  #top = 0;
  #at = -Infinity;
  #speed = 0;

  /** @returns true when cells fly past too fast to be looked at */
  isScrubbing(top: number, heightPx: number, nowMs: number): boolean {
    const elapsed = Math.min(100, Math.max(4, nowMs - this.#at));
    const speed = (Math.abs(top - this.#top) / Math.max(1, heightPx) / elapsed) * 1000;
    // A jump counts at once; slowing down takes two frames, since wheels come in steps.
    this.#speed = Math.max(speed, (this.#speed + speed) / 2);
    this.#top = top;
    this.#at = nowMs;
    return this.#speed > scrubbing;
  }
}
