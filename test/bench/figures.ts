/** What one round of steps took, in milliseconds. */
export interface RoundFigures {
  readonly median: number;
  readonly min: number;
  readonly p90: number;
}

/** Mean of the middle two where the count is even, as PyTorch's side reckons. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** Median, minimum and 90th percentile of the steps of a round. */
export function roundFigures(ms: readonly number[]): RoundFigures {
  return { median: median(ms), min: Math.min(...ms), p90: percentile90(ms) };
}

/**
 * All rounds of one side: the median of the rounds' medians, the least minimum, the 90th percentile
 * of the rounds' 90th percentiles. Both sides are reckoned so, because PyTorch's tells no single
 * steps.
 */
export function overRounds(rounds: readonly RoundFigures[]): RoundFigures {
  return {
    median: median(rounds.map((round) => round.median)),
    min: Math.min(...rounds.map(({ min }) => min)),
    p90: percentile90(rounds.map(({ p90 }) => p90)),
  };
}

function percentile90(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.ceil(0.9 * sorted.length) - 1] ?? NaN;
}

/** With so many digits after the point. */
export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
