/** Text made safe inside SVG and HTML. */
export function escapeMarkup(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Where things stand in a chart, px. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** One direction of a chart: round values to label, and where a value stands, px. */
export interface Axis {
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

/** Leaves room for the title above, the axes left and below, and `rightMargin` for names. */
export function frameOf(
  size: { readonly widthPx?: number; readonly heightPx?: number },
  rightMargin: number,
): Frame {
  const width = size.widthPx ?? 720;
  const height = size.heightPx ?? 320;
  return { width, height, left: 64, right: width - rightMargin, top: 48, bottom: height - 48 };
}

/** Maps values `low..high` to pixels `from..to`. */
export function axis(low: number, high: number, from: number, to: number): Axis {
  const span = high - low || 1;
  return {
    ticks: niceTicks(low, high),
    place: (value) => from + ((value - low) / span) * (to - from),
  };
}

/** About five round numbers between the ends. */
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => rough <= factor * power) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++)
    ticks.push(i * step);
  return ticks;
}

/** Grid lines with their values at the left. */
export function horizontalGrid(y: Axis, frame: Frame): string[] {
  return y.ticks.flatMap((tick) => {
    const at = round(y.place(tick));
    return [
      `<path class="grid" d="M${frame.left} ${at}H${frame.right}"/>`,
      text(frame.left - 8, at + 4, tickText(tick), 'tick end'),
    ];
  });
}

/** The name of the vertical axis, turned. */
export function axisName(name: string, frame: Frame): string {
  const y = (frame.top + frame.bottom) / 2;
  return `<text class="label middle" transform="rotate(-90 16 ${y})" x="16" y="${y}">${escapeMarkup(name)}</text>`;
}

/** One line of text; `classes` are those of the chart's style. */
export function text(x: number, y: number, content: string, classes: string): string {
  return `<text class="${classes}" x="${round(x)}" y="${round(y)}">${escapeMarkup(content)}</text>`;
}

/** A chart that says it has nothing to show yet. */
export function emptyChart(title: string, frame: Frame): string {
  const middle = text(
    (frame.left + frame.right) / 2,
    frame.height / 2,
    'No values yet',
    'tick middle',
  );
  return document(title, frame, [middle]);
}

/** The whole SVG: style, paper, title, parts. */
export function document(title: string, frame: Frame, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${frame.width} ${frame.height}"`,
    ` role="img" aria-label="${escapeMarkup(title)}">`,
    `<style>${chartStyle}</style>`,
    `<rect class="paper" width="${frame.width}" height="${frame.height}" rx="10"/>`,
    text(20, 26, title, 'title'),
    ...parts,
    '</svg>\n',
  ].join('');
}

/** A short form of a number for an axis. */
export function tickText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace('e+', 'e');
  return String(Number(value.toPrecision(4)));
}

/** Pixels to a tenth, to keep the file small. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Color for light and for dark paper, and dash pattern, of each line in turn (Okabe and Ito's hues). */
export const lineStyles = [
  { light: '#0072b2', dark: '#5ab4ee', dash: '' },
  { light: '#c2410c', dark: '#ff9d6b', dash: '7 4' },
  { light: '#00795a', dark: '#3fd3a6', dash: '2 3' },
  { light: '#a3457f', dark: '#eb9fcb', dash: '9 3 2 3' },
  { light: '#8a6100', dark: '#f0b93f', dash: '4 2' },
  { light: '#4b5563', dark: '#b6bfca', dash: '1 3' },
] as const;

function colorRules(shade: 'light' | 'dark'): string {
  return lineStyles
    .map(
      (style, i) =>
        `.chart .c${i}{stroke:${style[shade]}}.chart .t${i},.chart .b${i}{fill:${style[shade]}}`,
    )
    .join('');
}

const chartStyle = [
  `.chart{font:13px/1.3 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}`,
  `.chart .paper{fill:#fff}.chart text{fill:#374151}.chart .title{fill:#111827;font-size:15px;font-weight:600}`,
  `.chart .tick,.chart .value{font-size:12px}.chart .value{font-weight:600}.chart .middle{text-anchor:middle}`,
  `.chart .end{text-anchor:end}.chart .grid{stroke:#e5e7eb;stroke-width:1}.chart .name{font-weight:600}`,
  `.chart .line{fill:none;stroke-width:2.25;stroke-linejoin:round}.chart .faint{stroke-width:1;opacity:.35}`,
  `.chart .whisker{stroke:#111827;stroke-width:1.5}`,
  ...lineStyles.map(({ dash }, i) =>
    dash === '' ? '' : `.chart .dash${i}{stroke-dasharray:${dash}}`,
  ),
  colorRules('light'),
  `@media(prefers-color-scheme:dark){.chart .paper{fill:#161b22}.chart text{fill:#c9d1d9}`,
  `.chart .title{fill:#f0f3f6}.chart .grid{stroke:#2b323b}.chart .whisker{stroke:#f0f3f6}${colorRules('dark')}}`,
].join('');
