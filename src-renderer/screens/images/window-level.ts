/** The 8-bit levels that are shown as black and white. */
export interface Levels {
  readonly low: number;
  readonly high: number;
}

export const allLevels: Levels = { low: 0, high: 255 };

/** Share of the pixels that may become black, and white. */
const cutShare = 0.005;

/** Levels that show an image with good contrast, from some of its pixels, [pixels, 4] RGBA. */
export function autoLevels(rgba: Uint8ClampedArray): Levels {
  const counts = new Float64Array(256);
  for (let i = 0; i < rgba.length; i++) {
    if (i % 4 === 3) continue;
    const level = rgba[i] ?? 0;
    counts[level] = (counts[level] ?? 0) + 1;
  }
  const cut = (rgba.length / 4) * 3 * cutShare;
  const low = firstAbove(counts, cut);
  const high = 255 - firstAbove(counts.toReversed(), cut);
  return high > low ? { low, high } : allLevels;
}

/** The levels with one end moved; they never meet. */
export function withLow({ high }: Levels, low: number): Levels {
  return { low: Math.min(low, 254), high: Math.max(high, Math.min(low, 254) + 1) };
}

export function withHigh({ low }: Levels, high: number): Levels {
  return { low: Math.min(low, Math.max(high, 1) - 1), high: Math.max(high, 1) };
}

function firstAbove(counts: Float64Array, cut: number): number {
  let seen = 0;
  for (const [level, count] of counts.entries()) {
    seen += count;
    if (seen > cut) return level;
  }
  return 255;
}
