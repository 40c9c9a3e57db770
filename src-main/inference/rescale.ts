/** Rows of class probabilities, at the size of the source picture. */
export interface ProbabilityBand {
  readonly topPx: number;
  readonly rows: number;
  readonly widthPx: number;
  /** `[rows, widthPx, classCount]`; reused, read it before asking for the next band. */
  readonly probabilities: Float32Array;
}

interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * Brings bands predicted on a scaled picture (`from`) to the size of the original (`to`), bilinearly
 * with half-pixel centers, at most `maxRows` rows at a time. Only one scaled row is kept between bands.
 */
export async function* rescaleBands(
  bands: AsyncIterable<Omit<ProbabilityBand, 'widthPx'>>,
  sizes: { readonly from: Size; readonly to: Size; readonly classCount: number },
  maxRows = 64,
): AsyncGenerator<ProbabilityBand, void, void> {
  const { from, to, classCount } = sizes;
  if (from.widthPx === to.widthPx && from.heightPx === to.heightPx) {
    for await (const band of bands) yield { ...band, widthPx: to.widthPx };
    return;
  }
  const columns = axisSamples(to.widthPx, from.widthPx);
  const samples = axisSamples(to.heightPx, from.heightPx);
  const rowLength = from.widthPx * classCount;
  const target = new Float32Array(maxRows * to.widthPx * classCount);
  const carried = new Float32Array(rowLength); // the last row of the band before
  let next = 0;
  for await (const band of bands) {
    const row = (y: number): Float32Array =>
      y < band.topPx
        ? carried
        : band.probabilities.subarray(
            (y - band.topPx) * rowLength,
            (y - band.topPx + 1) * rowLength,
          );
    for (;;) {
      const first = next;
      let rows = 0;
      for (; rows < maxRows; rows++, next++) {
        const sample = samples[next];
        if (sample === undefined || sample.high >= band.topPx + band.rows) break;
        const line = target.subarray(rows * to.widthPx * classCount);
        const pair = { low: row(sample.low), high: row(sample.high), share: sample.share };
        blendRow(line, pair, columns, classCount);
      }
      if (rows === 0) break;
      const probabilities = target.subarray(0, rows * to.widthPx * classCount);
      yield { topPx: first, rows, widthPx: to.widthPx, probabilities };
    }
    carried.set(row(band.topPx + band.rows - 1));
  }
}

interface Sample {
  readonly low: number;
  readonly high: number;
  /** Weight of `high`; `low` has the rest. */
  readonly share: number;
}

/** Where each of `length` pixels lies among `sourceLength` pixels. */
function axisSamples(length: number, sourceLength: number): readonly Sample[] {
  return Array.from({ length }, (_, i) => {
    const position = ((i + 0.5) * sourceLength) / length - 0.5;
    const clamped = Math.min(Math.max(position, 0), sourceLength - 1);
    const low = Math.floor(clamped);
    return { low, high: Math.min(low + 1, sourceLength - 1), share: clamped - low };
  });
}

interface RowPair {
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly share: number;
}

/** Writes one row: `columns.length` pixels of `classCount` values. */
function blendRow(
  target: Float32Array,
  rows: RowPair,
  columns: readonly Sample[],
  classCount: number,
): void {
  let to = 0;
  for (const { low, high, share } of columns) {
    for (let c = 0; c < classCount; c++, to++) {
      const [left, right] = [low * classCount + c, high * classCount + c];
      const upper = mix(rows.low[left] ?? 0, rows.low[right] ?? 0, share);
      const lower = mix(rows.high[left] ?? 0, rows.high[right] ?? 0, share);
      target[to] = mix(upper, lower, rows.share);
    }
  }
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
