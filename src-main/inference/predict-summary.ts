import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../lib/files.ts';
import { classesAsText, type ModelClass } from './classes.ts';
import { modelClasses, type ModelDescription } from './model-description.ts';
import type { PredictedFile, PredictSummary } from './predict.ts';

/** Writes `classes.txt` and `classes.json`: which value of a mask is which class. */
export function writeLegend(outDir: string, classes: readonly ModelClass[]): void {
  writeText(join(outDir, 'classes.txt'), classesAsText(classes));
  writeText(join(outDir, 'classes.json'), `${JSON.stringify({ classes }, null, 2)}\n`);
}

/**
 * `areas.csv`: the pixels of each class in each picture, one row as soon as a picture is done, so that
 * an interrupted prediction keeps its rows and `--existing keep` goes on with them.
 */
export class AreaTable {
  readonly #path: string;
  readonly #pixelSizeUm: number | undefined;

  constructor(
    outDir: string,
    classes: readonly ModelClass[],
    options: { readonly isContinued: boolean; readonly pixelSizeUm?: number | undefined },
  ) {
    this.#path = join(outDir, 'areas.csv');
    this.#pixelSizeUm = options.pixelSizeUm;
    if (options.isContinued && existsSync(this.#path)) return;
    writeText(this.#path, areasHead(classes, this.#pixelSizeUm !== undefined));
  }

  add(file: PredictedFile): void {
    appendFileSync(this.#path, areasRow(file, this.#pixelSizeUm));
  }
}

/** The first line of a table of areas. */
export function areasHead(classes: readonly ModelClass[], hasSizes: boolean): string {
  const pixels = classes.map(({ name }) => `${name}_px`);
  const sizes = hasSizes ? ['pixel_um', ...classes.map(({ name }) => `${name}_um2`)] : [];
  return csvRow(['image', 'width_px', 'height_px', ...pixels, ...sizes]);
}

/** A line of a table of areas; `pixelSizeUm` is null where the size of this picture is not known. */
export function areasRow(
  file: Pick<PredictedFile, 'input' | 'widthPx' | 'heightPx' | 'classPixels'>,
  pixelSizeUm: number | null | undefined,
): string {
  const { input, widthPx, heightPx, classPixels } = file;
  const inUm = (pixels: number): number | string =>
    typeof pixelSizeUm === 'number' ? Number((pixels * pixelSizeUm ** 2).toPrecision(9)) : '';
  const sizes = pixelSizeUm === undefined ? [] : [pixelSizeUm ?? '', ...classPixels.map(inUm)];
  return csvRow([input, widthPx, heightPx, ...classPixels, ...sizes]);
}

/** Writes a table of areas as `areas.csv`. @returns its path */
export function writeAreas(outDir: string, lines: readonly string[]): string {
  const path = join(outDir, 'areas.csv');
  writeText(path, lines.join(''));
  return path;
}

/** Writes `predictions.json`: what this prediction did, with which model. */
export function writeSummary(
  outDir: string,
  model: ModelDescription,
  summary: PredictSummary,
): void {
  const { name, provenance } = model;
  const record = { model: { name, ...provenance }, classes: modelClasses(model), ...summary };
  writeText(join(outDir, 'predictions.json'), `${JSON.stringify(record, null, 2)}\n`);
}

function csvRow(fields: readonly (string | number)[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

/** RFC 4180: quoted when needed, quotes doubled. */
function csvField(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function writeText(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)]);
}
