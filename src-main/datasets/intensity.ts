/**
 * How images of more than 8 bits become 8-bit images. Decision: each image is stretched linearly
 * between its own 0.1 and 99.9 percentiles, because microscopes, cameras and scanners use arbitrary
 * parts of their range and a few hot pixels would darken everything else. RGB channels share one
 * range, so that colours stay; channels that are separate recordings each have their own. The
 * percentiles are stored with the image, so the same pixels come out every time.
 */
export const lowPercentile = 0.1;
export const highPercentile = 99.9;

/** The source values that become 0 and 255. */
export interface IntensityRange {
  readonly low: number;
  readonly high: number;
}

const bins = 65536;

/** Counts sample values between `min` and `max` in 65536 bins; exact for 16-bit data. */
export class Histogram {
  readonly #counts = new Float64Array(bins);
  readonly #min: number;
  readonly #width: number;
  #total = 0;

  constructor(min = 0, max = bins - 1) {
    this.#min = min;
    this.#width = max > min ? (max - min) / (bins - 1) : 1;
  }

  /** Adds every `stride`-th sample from `offset`; what is not a finite number is left out. */
  add(samples: ArrayLike<number>, offset: number, stride: number): void {
    for (let i = offset; i < samples.length; i += stride) {
      const value = samples[i];
      if (value === undefined || !Number.isFinite(value)) continue;
      const place = Math.round((value - this.#min) / this.#width);
      const bin = Math.min(bins - 1, Math.max(0, place));
      this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
      this.#total++;
    }
  }

  /** The value below which `percent` of the samples lie. */
  percentile(percent: number): number {
    const wanted = (percent / 100) * this.#total;
    let seen = 0;
    for (let bin = 0; bin < bins; bin++) {
      seen += this.#counts[bin] ?? 0;
      if (seen >= wanted && seen > 0) return this.#min + bin * this.#width;
    }
    return this.#min;
  }

  range(): IntensityRange {
    return { low: this.percentile(lowPercentile), high: this.percentile(highPercentile) };
  }

  /** Lowest, mean and highest 8-bit level of the samples when stretched by `range`. */
  levels(range: IntensityRange): {
    readonly low: number;
    readonly mean: number;
    readonly high: number;
  } {
    let sum = 0;
    for (let bin = 0; bin < bins; bin++) {
      const count = this.#counts[bin] ?? 0;
      if (count > 0) sum += count * toByte(this.#min + bin * this.#width, range);
    }
    return {
      low: toByte(this.percentile(0), range),
      mean: this.#total === 0 ? 0 : sum / this.#total,
      high: toByte(this.percentile(100), range),
    };
  }
}

/** Maps a sample to 0..255; values outside the range are clipped, what is not a number becomes 0. */
export function toByte(value: number, range: IntensityRange): number {
  const span = range.high - range.low;
  if (span <= 0 || !(value > range.low)) return 0;
  return value >= range.high ? 255 : Math.round(((value - range.low) / span) * 255);
}

/** `toByte` for every 16-bit value. */
export function byteTable(range: IntensityRange): Uint8Array {
  return Uint8Array.from({ length: bins }, (_, value) => toByte(value, range));
}
