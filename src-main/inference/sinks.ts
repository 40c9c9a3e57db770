import { distinctColor, type Rgb } from '../lib/colors.ts';
import { classPalette, isBackground, type ModelClass } from './classes.ts';
import { PngWriter } from './png-writer.ts';
import type { ProbabilityBand } from './rescale.ts';
import { FloatTiffWriter } from './tiff-writer.ts';
import { argmaxClasses, type PredictedBand, type RgbImage } from './tiles.ts';

interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Takes a prediction band by band and makes one output of it. */
export interface BandSink<Band> {
  write(band: Band): Promise<void>;
  finish(): Promise<void>;
  /** Leaves nothing half-written behind. */
  dispose(): void;
}

/** An indexed-color PNG: the sample is the class index, the color table shows the class colors. */
export class MaskSink implements BandSink<ProbabilityBand> {
  readonly #writer: PngWriter;
  readonly #classCount: number;
  /** Pixels of each class so far. */
  readonly classPixels: number[];

  constructor(path: string, size: Size, classes: readonly ModelClass[]) {
    this.#classCount = classes.length;
    this.classPixels = classes.map(() => 0);
    this.#writer = new PngWriter(path, size, { type: 'indexed', palette: classPalette(classes) });
  }

  async write(band: ProbabilityBand): Promise<void> {
    const indices = new Uint8Array(band.rows * band.widthPx);
    argmaxClasses(band.probabilities, this.#classCount, indices);
    for (const index of indices) this.classPixels[index] = (this.classPixels[index] ?? 0) + 1;
    await this.#writer.write(indices);
  }

  finish(): Promise<void> {
    return this.#writer.finish();
  }

  dispose(): void {
    this.#writer.dispose();
  }
}

/** The probability of one class: 8-bit grey PNG (255 = certain) or float32 TIFF. */
export class ProbabilitySink implements BandSink<ProbabilityBand> {
  readonly #writer: PngWriter | FloatTiffWriter;
  readonly #classIndex: number;

  constructor(
    path: string,
    size: Size,
    options: { readonly classIndex: number; readonly format: '8bit' | 'float32' },
  ) {
    this.#classIndex = options.classIndex;
    this.#writer =
      options.format === '8bit'
        ? new PngWriter(path, size, { type: 'grey' })
        : new FloatTiffWriter(path, size);
  }

  async write(band: ProbabilityBand): Promise<void> {
    const pixels = band.rows * band.widthPx;
    const classCount = band.probabilities.length / pixels;
    if (this.#writer instanceof PngWriter) {
      const levels = new Uint8Array(pixels);
      for (let i = 0; i < pixels; i++) {
        levels[i] = Math.round(255 * (band.probabilities[i * classCount + this.#classIndex] ?? 0));
      }
      await this.#writer.write(levels);
    } else {
      const values = new Float32Array(pixels);
      for (let i = 0; i < pixels; i++) {
        values[i] = band.probabilities[i * classCount + this.#classIndex] ?? 0;
      }
      this.#writer.write(values);
    }
  }

  async finish(): Promise<void> {
    await this.#writer.finish();
  }

  dispose(): void {
    this.#writer.dispose();
  }
}

export interface OverlayOptions {
  /** Of the fill, 0..1; outlines are always opaque. */
  readonly opacity: number;
  /** Longest side; a larger picture is averaged down by a whole factor. */
  readonly maxSidePx: number;
  readonly save: (picture: RgbImage) => Promise<void>;
}

/** The picture with its classes painted over: a translucent fill and an opaque outline. */
export class OverlaySink implements BandSink<PredictedBand> {
  readonly #size: Size;
  readonly #options: OverlayOptions;
  readonly #paint: readonly (Rgb | undefined)[];
  readonly #factor: number;
  readonly #picture: RgbImage;
  /** Sums of the block row being averaged, and the classes of the row above. */
  readonly #sums: Float64Array;
  #above: Uint8Array | undefined;

  constructor(size: Size, classes: readonly ModelClass[], options: OverlayOptions) {
    this.#size = size;
    this.#options = options;
    const palette = classPalette(classes);
    this.#paint = classes.map((entry) =>
      isBackground(entry) ? undefined : visible(palette[entry.index], entry.index),
    );
    this.#factor = Math.max(
      1,
      Math.ceil(Math.max(size.widthPx, size.heightPx) / options.maxSidePx),
    );
    const widthPx = Math.ceil(size.widthPx / this.#factor);
    const heightPx = Math.ceil(size.heightPx / this.#factor);
    this.#picture = { data: new Uint8Array(widthPx * heightPx * 3), widthPx, heightPx };
    this.#sums = new Float64Array(widthPx * 3);
  }

  write(band: PredictedBand): Promise<void> {
    const { widthPx } = this.#size;
    const indices = new Uint8Array(band.rows * widthPx);
    argmaxClasses(band.probabilities, this.#paint.length, indices);
    for (let row = 0; row < band.rows; row++) {
      const classes = indices.subarray(row * widthPx, (row + 1) * widthPx);
      this.#addRow(band.topPx + row, classes, band.rgb.subarray(row * widthPx * 3));
      this.#above = classes;
    }
    return Promise.resolve();
  }

  finish(): Promise<void> {
    return this.#options.save(this.#picture);
  }

  dispose(): void {
    this.#above = undefined;
  }

  #addRow(y: number, classes: Uint8Array, rgb: Uint8Array): void {
    const { widthPx, heightPx } = this.#size;
    for (let x = 0; x < widthPx; x++) {
      const own = classes[x] ?? 0;
      const outline = this.#outlineColor(own, classes[x - 1] ?? own, this.#above?.[x] ?? own);
      const color = outline ?? this.#paint[own];
      const opacity = outline === undefined ? this.#options.opacity : 1;
      const block = Math.floor(x / this.#factor) * 3;
      for (let c = 0; c < 3; c++) {
        const base = rgb[x * 3 + c] ?? 0;
        const value = color === undefined ? base : base + ((color[c] ?? 0) - base) * opacity;
        this.#sums[block + c] = (this.#sums[block + c] ?? 0) + value;
      }
    }
    if ((y + 1) % this.#factor === 0 || y + 1 === heightPx) this.#closeBlockRow(y);
  }

  /** The color of a border between this pixel and its left or upper neighbour, if there is one. */
  #outlineColor(own: number, left: number, above: number): Rgb | undefined {
    if (left !== own) return this.#paint[own] ?? this.#paint[left];
    return above === own ? undefined : (this.#paint[own] ?? this.#paint[above]);
  }

  #closeBlockRow(y: number): void {
    const { widthPx: blocks, data } = this.#picture;
    const blockRow = Math.floor(y / this.#factor);
    const rows = y + 1 - blockRow * this.#factor;
    for (let block = 0; block < blocks; block++) {
      const columns = Math.min(this.#factor, this.#size.widthPx - block * this.#factor);
      for (let c = 0; c < 3; c++) {
        const mean = (this.#sums[block * 3 + c] ?? 0) / (rows * columns);
        data[(blockRow * blocks + block) * 3 + c] = Math.round(mean);
      }
    }
    this.#sums.fill(0);
  }
}

/** A class color that can be seen on a dark picture: near-black ones are replaced. */
function visible(color: Rgb | undefined, index: number): Rgb {
  return color === undefined || Math.max(...color) < 48 ? distinctColor(index) : color;
}
