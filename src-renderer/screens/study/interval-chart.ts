import type { Metric, ShareResult, Start } from '../../../src-main/contract/studies.ts';
import { startOrder } from './words.ts';

/** One dot with its interval, in pixels of the chart. */
export interface Mark {
  readonly share: number;
  readonly start: Start;
  readonly x: number;
  readonly y: number;
  /** Ends of the 95 % interval, top first; null where the data cannot give one. */
  readonly interval: readonly [top: number, bottom: number] | null;
  readonly seeds: readonly { readonly x: number; readonly y: number }[];
  readonly mean: number;
}

export interface IntervalChart {
  readonly width: number;
  readonly height: number;
  readonly plot: {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  };
  readonly ticks: readonly { readonly value: number; readonly y: number }[];
  /** The middle of each share's column, and its edges. */
  readonly columns: readonly {
    readonly share: number;
    readonly trainImages: number;
    readonly x: number;
    readonly left: number;
    readonly right: number;
  }[];
  readonly marks: readonly Mark[];
}

const margins = { left: 48, right: 12, top: 12, bottom: 52 };
/** Between the starts of one share. */
const gapPx = 56;
const seedSpreadPx = 5;

/**
 * Places the means and intervals of a study: one column a share, the starts side by side in it. The
 * vertical axis covers all intervals and is cut to the possible scores, 0 to 1.
 */
export function intervalChart(
  shares: readonly ShareResult[],
  metric: Metric,
  size: { readonly width: number; readonly height: number },
): IntervalChart {
  const { width, height } = size;
  const plot = {
    left: margins.left,
    right: width - margins.right,
    top: margins.top,
    bottom: height - margins.bottom,
  };
  const values = shares.flatMap(({ starts }) =>
    starts.flatMap((start) => {
      const { mean, interval, perSeed } = start[metric];
      return [mean, ...perSeed, ...(interval ?? [])];
    }),
  );
  const { low, high, step } = axisOf(values);
  const yOf = (value: number): number =>
    plot.bottom - ((clamp(value) - low) / (high - low)) * (plot.bottom - plot.top);
  const columnWidth = (plot.right - plot.left) / Math.max(1, shares.length);
  const columns = shares.map(({ share, trainImages }, i) => ({
    share,
    trainImages,
    left: plot.left + i * columnWidth,
    right: plot.left + (i + 1) * columnWidth,
    x: plot.left + (i + 0.5) * columnWidth,
  }));
  const present = startOrder.filter((start) =>
    shares.some(({ starts }) => starts.some((other) => other.start === start)),
  );
  const gap = Math.min(gapPx, columnWidth / (present.length + 1));
  const marks = shares.flatMap(({ share, starts }, i) =>
    starts.map((result): Mark => {
      const { mean, interval, perSeed } = result[metric];
      const place = present.indexOf(result.start) - (present.length - 1) / 2;
      const x = (columns[i]?.x ?? 0) + place * gap;
      return {
        share,
        start: result.start,
        x,
        y: yOf(mean),
        mean,
        interval: interval === null ? null : [yOf(interval[1]), yOf(interval[0])],
        seeds: perSeed.map((value, seed) => ({
          x: x + seedSpreadPx + 3 + (seed % 2) * 3,
          y: yOf(value),
        })),
      };
    }),
  );
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => {
    const value = low + i * step;
    return { value, y: yOf(value) };
  });
  return { width, height, plot, ticks, columns, marks };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** A little more than all values, on round numbers, at least a twentieth wide. */
function axisOf(values: readonly number[]) {
  const low = clamp(Math.min(...values, 1));
  const high = clamp(Math.max(...values, low + 0.05));
  const rough = (high - low) / 5;
  const step = [0.01, 0.02, 0.05, 0.1].find((candidate) => candidate >= rough) ?? 0.2;
  // Whole numbers of steps, so that rounding adds none.
  const first = Math.max(0, Math.floor((low - step / 4) / step));
  const last = Math.min(Math.round(1 / step), Math.ceil((high + step / 4) / step));
  return { low: first * step, high: Math.max(last, first + 1) * step, step };
}
