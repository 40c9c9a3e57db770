import type uPlot from 'uplot';

/** One line of a chart; `values` is as long as the chart's `x`. */
export interface LineSeries {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** Place in the list of colors and dashes; the place in the list of series without it. */
  readonly style?: number;
  /** Drawn thin, e.g. the single seeds behind a mean. */
  readonly isFaint?: boolean;
  /** Dots at the values, for charts with few of them. */
  readonly hasDots?: boolean;
}

/** How many lines are told apart before they begin again. */
export const styleCount = 6;

/** Dashes in the order of the colors, so that color is never the only sign. */
export const dashes: readonly (readonly number[])[] = [
  [],
  [7, 3],
  [2, 3],
  [9, 3, 2, 3],
  [4, 2],
  [12, 4],
];

/** What the drawing needs to know of the theme and of the page. */
export interface ChartLook {
  readonly lines: readonly string[];
  readonly text: string;
  readonly grid: string;
  readonly surface: string;
  readonly font: string;
}

export interface ChartShape {
  readonly series: readonly Pick<LineSeries, 'name' | 'style' | 'isFaint' | 'hasDots'>[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly hasLogX: boolean;
  readonly hasLogY: boolean;
  readonly yRange: readonly [number, number] | undefined;
  formatX(value: number): string;
  formatY(value: number): string;
}

/** The options of a chart without its size. */
export function chartOptions(
  shape: ChartShape,
  look: ChartLook,
  onCursor: (index: number | null) => void,
): Omit<uPlot.Options, 'width' | 'height'> {
  const { yRange } = shape;
  return {
    legend: { show: false },
    cursor: { y: false, points: { size: 7, width: 1.5, fill: look.surface } },
    padding: [10, 20, 0, 0],
    scales: {
      x: { time: false, distr: shape.hasLogX ? 3 : 1 },
      y: {
        distr: shape.hasLogY ? 3 : 1,
        ...(yRange === undefined ? {} : { range: [yRange[0], yRange[1]] }),
      },
    },
    axes: [
      { ...axis(shape.xLabel, look, (value) => shape.formatX(value), 30), incrs: wholeSteps },
      axis(shape.yLabel, look, (value) => shape.formatY(value), 52),
    ],
    series: [{}, ...shape.series.map((line, i) => drawnLine(line, i, look))],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
}

/** Distances between the marks of the x axis: half a step or epoch does not exist. */
const wholeSteps = Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

/** x first, then one column a series, as uPlot takes them. */
export function chartData(x: readonly number[], series: readonly LineSeries[]): uPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => [...values])];
}

/** The rows of the table behind a chart: all points, or as many evenly spread ones. */
export function tableRows(
  x: readonly number[],
  series: readonly LineSeries[],
  limit: number,
): readonly { readonly x: number; readonly values: readonly (number | null)[] }[] {
  const stride = Math.max(1, Math.ceil(x.length / limit));
  return x.flatMap((at, i) => {
    const isShown = i % stride === 0 || i === x.length - 1;
    return isShown ? [{ x: at, values: series.map(({ values }) => values[i] ?? null) }] : [];
  });
}

function axis(
  label: string,
  look: ChartLook,
  format: (value: number) => string,
  size: number,
): uPlot.Axis {
  return {
    label,
    labelSize: 20,
    labelFont: look.font,
    labelGap: 2,
    font: look.font,
    size,
    gap: 6,
    stroke: look.text,
    grid: { stroke: look.grid, width: 1 },
    ticks: { show: false },
    // uPlot leaves out the labels between the powers of a logarithmic axis by null.
    values: (_plot, values: readonly (number | null)[]) =>
      values.map((value) => (value === null ? '' : format(value))),
  };
}

function drawnLine(
  { name, style, isFaint = false, hasDots = false }: ChartShape['series'][number],
  place: number,
  look: ChartLook,
): uPlot.Series {
  const at = (style ?? place) % styleCount;
  const color = look.lines[at] ?? look.text;
  return {
    label: name,
    stroke: color,
    width: isFaint ? 1 : 2,
    alpha: isFaint ? 0.45 : 1,
    dash: [...(dashes[at] ?? [])],
    spanGaps: true,
    points: hasDots ? { show: true, size: 7, stroke: color, fill: look.surface } : { show: false },
  };
}
