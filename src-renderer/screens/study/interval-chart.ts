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
const gapPx = 30;
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
  const [low, high] = axisRange(values);
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
  const ticks = ticksOf(low, high).map((value) => ({ value, y: yOf(value) }));
  return { width, height, plot, ticks, columns, marks };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** A little more than all values, on round numbers, at least a twentieth wide. */
function axisRange(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = [clamp(Math.min(...values)), clamp(Math.max(...values))];
  const step = tickStep(low, Math.max(high, low + 0.05));
  const from = Math.max(0, Math.floor((low - step / 4) / step) * step);
  const to = Math.min(1, Math.ceil((high + step / 4) / step) * step);
  return [from, Math.max(to, from + step)];
}

function tickStep(low: number, high: number): number {
  const rough = (high - low) / 4;
  return [0.01, 0.02, 0.05, 0.1, 0.2].find((step) => step >= rough) ?? 0.25;
}

function ticksOf(low: number, high: number): number[] {
  const step = tickStep(low, high);
  const count = Math.floor((high - low) / step + 1e-6);
  return Array.from({ length: count + 1 }, (_, i) => low + i * step);
}
