import {
  type Axis,
  axis,
  axisName,
  document,
  emptyChart,
  type Frame,
  frameOf,
  horizontalGrid,
  lineStyles,
  round,
  text,
  tickText,
} from './chart-parts.ts';

/** One line of a chart; x ascending. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn thin and without a label, e.g. the raw values behind a smoothed line. */
  readonly faint?: boolean;
  /** Place in the color order when it differs from the place in the list. */
  readonly color?: number;
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  readonly yRange?: readonly [number, number];
  readonly widthPx?: number;
  readonly heightPx?: number;
}

export interface BarChart {
  readonly title: string;
  readonly yLabel: string;
  /** Bars of a group stand side by side; the same name has the same color in every group. */
  readonly groups: readonly {
    readonly label: string;
    readonly bars: readonly {
      readonly name: string;
      /** Absent: no value, said as "n/a". */
      readonly value?: number;
      /** Ends of an interval drawn over the bar. */
      readonly interval?: readonly [number, number];
    }[];
  }[];
  readonly yRange?: readonly [number, number];
  readonly widthPx?: number;
  readonly heightPx?: number;
}

/**
 * A line chart as one SVG document, legible alone and inside a page; colors follow the reader's light
 * or dark setting. Lines also differ in dash pattern, and each is named at its end.
 */
export function lineChart(chart: LineChart): string {
  const names = chart.series.filter((series) => series.faint !== true).map(({ name }) => name);
  const frame = frameOf(chart, 24 + 7.8 * Math.max(0, ...names.map((name) => name.length)));
  const points = chart.series.flatMap((series) => series.points).filter(isFinitePoint);
  if (points.length === 0) return emptyChart(chart.title, frame);
  const xs = points.map(([x]) => x);
  const [yLow, yHigh] = chart.yRange ?? padded(points.map(([, y]) => y));
  const x = axis(Math.min(...xs), Math.max(...xs), frame.left, frame.right);
  const y = axis(yLow, yHigh, frame.bottom, frame.top);
  const named = chart.series.filter((series) => series.faint !== true);
  const labels = spreadLabels(
    named.map((series) => y.place(series.points.findLast(isFinitePoint)?.[1] ?? yLow)),
    frame,
  );
  const lines = chart.series.map((series, i) => {
    const color = (series.color ?? i) % lineStyles.length;
    const path = pathOf(series.points, x.place, y.place);
    const style = series.faint === true ? 'faint' : `dash${color}`;
    const dots = series.faint === true || series.points.length > mostDots ? [] : series.points;
    const marks = dots
      .filter(isFinitePoint)
      .map(
        ([px, py]) =>
          `<circle class="b${color}" cx="${round(x.place(px))}" cy="${round(y.place(py))}" r="3.5"/>`,
      );
    return `<path class="line ${style} c${color}" d="${path}"/>${marks.join('')}`;
  });
  const ends = named.map((series, i) => {
    const color = (series.color ?? chart.series.indexOf(series)) % lineStyles.length;
    return text(frame.right + 8, labels[i] ?? 0, series.name, `name t${color}`);
  });
  return document(chart.title, frame, [
    ...horizontalGrid(y, frame),
    ...x.ticks.map((tick) => text(x.place(tick), frame.bottom + 18, tickText(tick), 'tick middle')),
    text((frame.left + frame.right) / 2, frame.height - 8, chart.xLabel, 'label middle'),
    axisName(chart.yLabel, frame),
    ...lines,
    ...ends,
  ]);
}

/** A grouped bar chart as one SVG document; every bar carries its value. */
export function barChart(chart: BarChart): string {
  const names = [...new Set(chart.groups.flatMap((group) => group.bars.map((bar) => bar.name)))];
  const frame = frameOf(chart, 20);
  const values = chart.groups.flatMap((group) =>
    group.bars.flatMap((bar) => [bar.value ?? 0, ...(bar.interval ?? [])]),
  );
  if (values.length === 0) return emptyChart(chart.title, frame);
  const [yLow, yHigh] = chart.yRange ?? [Math.min(0, ...values), Math.max(...values) * 1.1];
  const y = axis(yLow, yHigh, frame.bottom, frame.top + 22);
  const groupWidth = (frame.right - frame.left) / chart.groups.length;
  const barWidth = Math.min(56, (groupWidth * 0.8) / Math.max(1, names.length));
  const groups = chart.groups.flatMap((group, g) => {
    const middle = frame.left + (g + 0.5) * groupWidth;
    const bars = group.bars.flatMap((bar, b) => {
      const left = middle + (b - group.bars.length / 2) * barWidth;
      return barMarks(bar, { left, width: barWidth - 4, color: names.indexOf(bar.name), y, yLow });
    });
    return [...bars, text(middle, frame.bottom + 18, group.label, 'tick middle')];
  });
  const legend = names.map((name, i) => {
    const left = frame.left + i * Math.min(190, (frame.right - frame.left) / names.length);
    const color = i % lineStyles.length;
    return (
      `<rect class="bar b${color}" x="${left}" y="${frame.top - 10}" width="11" height="11" rx="2"/>` +
      text(left + 17, frame.top, name, 'tick')
    );
  });
  return document(chart.title, frame, [
    ...horizontalGrid(y, frame),
    axisName(chart.yLabel, frame),
    ...groups,
    ...legend,
  ]);
}

/** An exponential moving average, for noisy losses; `weight` of the newest value. */
export function smoothed(
  points: readonly (readonly [number, number])[],
  weight = 0.1,
): readonly (readonly [number, number])[] {
  let mean: number | undefined;
  return points.map(([x, y]) => {
    mean = mean === undefined ? y : mean + weight * (y - mean);
    return [x, mean] as const;
  });
}

interface BarPlace {
  readonly left: number;
  readonly width: number;
  readonly color: number;
  readonly y: Axis;
  readonly yLow: number;
}

function barMarks(bar: BarChart['groups'][number]['bars'][number], place: BarPlace): string[] {
  const middle = place.left + place.width / 2;
  const floor = place.y.place(Math.max(0, place.yLow));
  if (bar.value === undefined) return [text(middle, floor - 6, 'n/a', 'tick middle')];
  const top = place.y.place(bar.value);
  const { left, width } = place;
  const height = Math.max(1, floor - top);
  const color = place.color % lineStyles.length;
  const marks = [
    `<rect class="bar b${color}" x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" rx="3"/>`,
  ];
  const ends = bar.interval?.map((value) => place.y.place(value));
  if (ends !== undefined) {
    const [low = top, high = top] = ends;
    marks.push(`<path class="whisker" d="M${round(middle)} ${round(low)}V${round(high)}"/>`);
  }
  const above = Math.min(top, ...(ends ?? []));
  marks.push(text(middle, above - 6, bar.value.toFixed(3), 'value middle'));
  return marks;
}

function pathOf(points: Series['points'], x: Axis['place'], y: Axis['place']): string {
  return points
    .filter(isFinitePoint)
    .map((point, i) => `${i === 0 ? 'M' : 'L'}${round(x(point[0]))} ${round(y(point[1]))}`)
    .join('');
}

/** Moves labels apart so that none covers another, keeping their order. */
function spreadLabels(places: readonly number[], frame: Frame): number[] {
  const order = places.map((place, i) => ({ place, i })).sort((a, b) => a.place - b.place);
  const overflow = Math.max(0, order.length * labelHeight - (frame.bottom - frame.top));
  let next = frame.top - overflow;
  const result = new Array<number>(places.length).fill(0);
  for (const [rank, { place, i }] of order.entries()) {
    const room = (order.length - 1 - rank) * labelHeight;
    next = Math.min(Math.max(next, place), Math.max(next, frame.bottom - room));
    result[i] = next + 4;
    next += labelHeight;
  }
  return result;
}

/** The values' range with a little air. */
function padded(values: readonly number[]): readonly [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const air = Math.max((high - low) * 0.06, Math.abs(high) * 0.02, 1e-6);
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
}

function isFinitePoint(point: readonly [number, number]): boolean {
  return Number.isFinite(point[0]) && Number.isFinite(point[1]);
}

const labelHeight = 17;
/** Lines with at most so many points show them. */
const mostDots = 12;
